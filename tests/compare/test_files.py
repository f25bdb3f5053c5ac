"""Damaged, foreign and hostile files of every format get a sentence for an answer, and no code of them runs."""

import json
import re
import zipfile

import h5py
import numpy as np
import pytest

import twinbench
from twinbench.errors import UsageError


def network(*steps):
    import keras

    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="first"), *steps, keras.layers.Dense(2)])


def calling(folder):
    """A model whose Lambda layer leaves a trace when its code runs."""
    import keras

    trace = str(folder / "it-ran")
    model = network(keras.layers.Lambda(lambda x, trace=trace: (open(trace, "w").close(), x)[1]))  # noqa: PTH123
    (folder / "it-ran").unlink(missing_ok=True)
    return model


def whole(path, model=None):
    model = model or network()
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        model.save(path)


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("These are my weights.")


def pickled(path):
    path.write_bytes(b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.")


def truncated(path):
    whole(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def with_its_end_cut_off(path):
    whole(path)
    path.write_bytes(path.read_bytes()[:-40])


def folder_of_that_name(path):
    path.mkdir()


def with_code(path):
    whole(path, calling(path.parent))


def rewritten(path, **members):
    """An archive with other members: None leaves one out."""
    whole(path)
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    kept |= members
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            if content is not None:
                archive.writestr(name, content)


def of_another_kind(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("document.xml", "<a/>")


def without_sense(path):
    rewritten(path, **{"config.json": b"{]"})


def without_weights(path):
    rewritten(path, **{"model.weights.h5": None})


def with_half_of_the_weights(path):
    whole(path)
    with zipfile.ZipFile(path) as archive:
        weights = archive.read("model.weights.h5")
    rewritten(path, **{"model.weights.h5": weights[: len(weights) // 2]})


def that_names_a_command(path):
    trace = path.parent / "it-ran"
    call = {"module": "os", "class_name": "system", "config": {"command": f"touch {trace}"}, "registered_name": None}
    rewritten(path, **{"config.json": json.dumps(call).encode()})


def foreign(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("table/block0_values", data=np.ones((4, 2)))


def configured_without_sense(path):
    whole(path)
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = "{]"


def as_large_as_a_disk(path):
    """Declares a tensor of a terabyte, and holds nothing."""
    whole(path)
    with h5py.File(path, "r+") as file:
        group = file["layers/dense/vars"]
        del group["0"]
        group.create_dataset("0", shape=(4, 1 << 36), dtype="float32", chunks=(4, 1 << 10))


def with_a_link_out(path):
    whole(path)
    (path.parent / "secret.h5").unlink(missing_ok=True)
    with h5py.File(path.parent / "secret.h5", "w") as file:
        file["0"] = np.ones((4, 3), "float32")
    with h5py.File(path, "r+") as file:
        group = file["layers/dense/vars"]
        del group["0"]
        group["0"] = h5py.ExternalLink("secret.h5", "0")


SAID = "is no saved model|is no HDF5 file|There is no file|cannot be loaded in safe mode|cannot be read|do not fit"
ANY = (empty, text, pickled, truncated, with_its_end_cut_off, folder_of_that_name)
FILES = {
    ".keras": (*ANY, with_code, of_another_kind, without_sense, without_weights, with_half_of_the_weights,
               that_names_a_command),
    ".h5": (*ANY, with_code, foreign, configured_without_sense),
    ".weights.h5": (*ANY, foreign, as_large_as_a_disk, with_a_link_out),
}  # fmt: skip


@pytest.mark.parametrize(("ending", "damage"), [(ending, one) for ending, all_ in FILES.items() for one in all_])
def test_a_file_that_is_not_what_its_name_says_is_answered_with_a_sentence(ending, damage, tmp_path):
    path = tmp_path / f"model{ending}"
    damage(path)
    try:
        report = twinbench.compare(path, network)
    except UsageError as error:
        sentence = str(error)
    else:
        assert report.verdict == "different"
        sentence = report.sentence
    assert re.search(SAID, sentence), sentence
    assert "Traceback" not in sentence
    assert len(sentence) < 1000
    assert not (tmp_path / "it-ran").exists()


def test_a_checkpoint_says_what_becomes_of_the_optimisers_state(tmp_path):
    def compiled(*, built):
        model = network()
        model.compile("adam", "mse")
        if built:
            model.optimizer.build(model.trainable_variables)
        return model

    path = tmp_path / "a.weights.h5"
    compiled(built=True).save_weights(path)
    said = {
        name: twinbench.compare(path, build).to_dict()["stored"]["checkpoint"]["optimizer"]
        for name, build in {
            "not compiled": network,
            "not built": lambda: compiled(built=False),
            "built": lambda: compiled(built=True),
        }.items()
    }
    assert "is lost: the model is not compiled" in said["not compiled"]
    assert "optimizer.build" in said["not built"]
    assert "is loaded too" in said["built"]


def test_layers_that_would_take_each_others_weights_are_named(tmp_path):
    import keras

    def build(*names):
        return keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(4, name=name) for name in names)])

    path = tmp_path / "a.weights.h5"
    build("query", "key").save_weights(path)
    report = twinbench.compare(path, lambda: build("key", "query"))
    assert report.stored.checkpoint.renamed == (("key", "query"), ("query", "key"))
    assert "query goes into key" in report.sentence
