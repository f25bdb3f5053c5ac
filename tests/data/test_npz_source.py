"""A user's own .npz: what is taken, and the sentence for each thing that is wrong with one."""

import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.config import Dataset
from twinbench.data import load, prepare
from twinbench.data.npz_source import read_npz as read
from twinbench.errors import DataError


def read_npz(path, **settings):
    return read(Dataset.model_validate({"source": str(path), **settings}))


def _good():
    return {
        "x_train": np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4, 1),
        "y_train": np.array([0, 1, 2, 0, 1, 2]),
        "x_test": np.zeros((3, 4, 4, 1), dtype=np.uint8),
        "y_test": np.array([2, 1, 0]),
    }


def _write(folder, **changes):
    path = folder / "my images.npz"
    np.savez(path, **{**_good(), **changes})
    return path


def test_a_good_file_is_prepared_in_its_own_order(tmp_path):
    path = _write(tmp_path)
    dataset = Dataset.model_validate(str(path))
    manifest = prepare(dataset, tmp_path / "out.npz", tmp_path / "out.json")
    loaded = load(tmp_path / "out.npz")
    assert np.array_equal(loaded.x_train, _good()["x_train"])
    assert loaded.y_train.tolist() == [0, 1, 2, 0, 1, 2]
    assert loaded.y_test.dtype == np.int64
    assert loaded.classes == 3
    assert loaded.name == "my-images"
    assert manifest.origin == "file my images.npz"


@pytest.mark.parametrize(
    ("given", "pixels"),
    [
        (np.array([0.0, 0.5, 1.0, 0.2]), [0, 128, 255, 51]),  # 127.5 is rounded to the even 128
        (np.array([0, 7, 255, 100], dtype=np.int64), [0, 7, 255, 100]),
        (np.array([False, True, True, False]), [0, 255, 255, 0]),
        (np.array([0, 0.25, 1, 0], dtype=np.float16), [0, 64, 255, 0]),
    ],
)
def test_other_types_become_uint8_as_the_documentation_says(tmp_path, given, pixels):
    source = read_npz(_write(tmp_path, x_train=np.broadcast_to(given.reshape(1, 2, 2), (6, 2, 2)),
                             x_test=np.zeros((3, 2, 2), dtype=np.uint8)))  # fmt: skip
    assert source.x_train.dtype == np.uint8
    assert source.x_train.shape == (6, 2, 2, 1)
    assert source.x_train[0].ravel().tolist() == pixels


def test_labels_in_a_column_are_taken_as_keras_gives_them(tmp_path):
    source = read_npz(_write(tmp_path, y_train=_good()["y_train"][:, np.newaxis].astype(np.uint8)))
    assert source.y_train.tolist() == [0, 1, 2, 0, 1, 2]


_WRONG = {
    "a different number of labels": ({"y_train": np.zeros(5, int)}, "'x_train' and 'y_train' .* 6 .* 5 labels"),
    "images of another size": (
        {"x_test": np.zeros((3, 5, 4, 1), np.uint8)},
        "'x_train' and 'x_test' .* examples of 4x4x1 and of 5x4x1",
    ),
    "flat images in one part": (
        {"x_train": np.zeros((6, 16), np.uint8)}, "'x_train' and 'x_test' .* examples of 16 and of 4x4x1"
    ),
    "images without pixels": ({"x_train": np.zeros((6, 0, 4), np.uint8)}, r"'x_train' .* shape \(6, 0, 4\)"),
    "NaN among the pixels": ({"x_train": np.full((6, 4, 4, 1), np.nan)}, "'x_train' .* NaN"),
    "infinite pixels": ({"x_train": np.full((6, 4, 4, 1), np.inf)}, "'x_train' .* infinite"),
    "floats up to 255": ({"x_train": np.full((6, 4, 4, 1), 255.0)}, "'x_train' .* floats from 255 to 255; .* uint8"),
    "negative floats": ({"x_test": np.full((3, 4, 4, 1), -0.5)}, "'x_test' .* floats from -0.5"),
    "pixels above 255": ({"x_train": np.full((6, 4, 4, 1), 256)}, "'x_train' .* from 256 to 256"),
    "texts for pixels": ({"x_train": np.full((6, 4, 4, 1), "a")}, "'x_train' .* type <U1.*TextVectorization"),
    "an array of no role": ({"extra": np.zeros(1)}, "has 'extra', which would not be used"),
    "names of classes": ({"class_names": np.array(["a", "b", "c"])}, "has 'class_names', which would not be used"),
    "a validation part by another name": ({"x_val": np.zeros(3)}, "'x_val', .* called x_validation and y_validation"),
    "weights of the test": ({"w_test": np.ones(3)}, "'w_test', .* called w_train, and no others are weighed"),
    "half a validation part": ({"x_validation": _good()["x_test"]}, "has no 'y_validation'"),
    "a second input beside the first": (
        {"x_train_b": np.zeros((6, 2)), "x_test_b": np.zeros((3, 2))}, "'x_train' and other inputs: .* give each a name"
    ),
    "an input of one part": ({"x_test_b": np.zeros((3, 2))}, "'x_test_b' and no training input of that name"),
    "several classes of an example": ({"y_train": np.array([[1, 1, 0]] * 6)}, "Several classes .* not supported"),
    "too few weights": ({"w_train": np.ones(5)}, "'w_train' and 'y_train' .* 5 weights and 6 labels"),
    "negative weights": ({"w_train": -np.ones(6)}, "'w_train' .* weights of at least 0"),
    "weights for classes": ({"w_train": np.ones((6, 3))}, r"'w_train' .* shape \(6, 3\) .* one number for each"),
    "numbers beyond int32": (
        {"x_train": np.full((6, 2), 2**40), "x_test": np.zeros((3, 2), int)}, "'x_train' .* too large for int32"
    ),
    "a NaN in a table": ({"x_train": np.full((6, 2), np.nan), "x_test": np.zeros((3, 2))}, "'x_train' .* NaN"),
    "dates": ({"x_train": np.zeros((6, 2), "datetime64[D]")}, "'x_train' .* type datetime64"),
    "amounts of two kinds": (
        {"y_train": np.full((6, 2), 0.5) + np.eye(6, 2), "y_test": np.array([0.5, 1, 2])},
        "'y_train' and 'y_test' .* 2 and 1 numbers for an example",
    ),
    "channels first": (
        {"x_train": np.zeros((6, 3, 16, 16)), "x_test": np.zeros((3, 3, 16, 16))},
        r"looks like channels first; .*transpose\(0, 2, 3, 1\).* `inputs: images` or `inputs: numbers`",
    ),
    "pixels of 0 and 1": (
        {"x_train": np.eye(4, dtype=int)[None].repeat(6, 0)[..., None], "x_test": np.ones((3, 4, 4, 1), np.uint8)},
        r"'x_train' .* up to 1, and the brightest pixel is 255: .*astype\(bool\).* `inputs: numbers`",
    ),
    "bytes that are no text": ({"y_train": np.array([b"\xe9", b"b", b"c"] * 2)}, "'y_train' .* no text in UTF-8"),
    "one label for all": ({"y_train": np.array(1)}, "'y_train' .* is a single value"),
    "complex pixels": ({"x_train": np.full((6, 4, 4, 1), 1j)}, "'x_train' .* type complex128"),
    "a negative label": ({"y_train": np.array([0, 1, 2, 0, 1, -2])}, "'y_train' .* negative label -2"),
    "a NaN label": ({"y_train": np.array([0, 1, 2, 0, 1, np.nan])}, "'y_train' .* NaN"),
    "rows of probabilities": ({"y_train": np.full((6, 3), 1 / 3)}, "'y_train' .* argmax"),
    "strings and numbers": ({"y_train": np.array(list("abcabc"))}, "one holds strings and the other numbers"),
    "a string that no image is trained on": (
        {"y_train": np.array(list("abcabc")), "y_test": np.array(list("abd"))}, "'y_test' .* label d, .* has a, b, c"
    ),
    "labels from 1 without a 1": ({"y_train": np.array([2, 3, 2, 3, 2, 3])}, "'y_train' .* none is 0"),
    "a label gap": ({"y_train": np.array([0, 1, 3, 0, 1, 3])}, "'y_train' .* up to 3 but none is 2"),
    "a label beyond all whole numbers": ({"y_train": np.array([0, 1, 2, 0, 1, 1e30])}, "'y_train' .* label 1000000"),
    "a huge label": ({"y_train": np.array([0, 1, 2, 0, 1, 2**62])}, f"'y_train' .* label {2**62}"),
    "an unseen test label": ({"y_test": np.array([0, 1, 3])}, "'y_test' .* label 3, which is out of range"),
    "no test images": (
        {"x_test": np.zeros((0, 4, 4, 1), np.uint8), "y_test": np.zeros(0, int)},
        "'x_test' .* is empty",
    ),
    "no training images": (
        {"x_train": np.zeros((0, 4, 4, 1), np.uint8), "y_train": np.zeros(0, int)},
        "'x_train' .* is empty",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("convert", "names"),
    [
        (lambda labels: labels + 1, ("1", "2", "3")),
        (lambda labels: labels.astype(np.float32), ("0", "1", "2")),
        (lambda labels: np.eye(3)[labels], ("0", "1", "2")),
        (lambda labels: np.array(["cat", "dog", "eel"])[labels], ("cat", "dog", "eel")),
        (lambda labels: np.array([b"cat", b"dog", b"eel"])[labels], ("cat", "dog", "eel")),
    ],
    ids=["from 1", "whole floats", "one-hot", "strings", "bytes"],
)
def test_labels_that_only_need_converting_are_converted(tmp_path, convert, names):
    plain = read_npz(_write(tmp_path))
    good = _good()
    source = read_npz(_write(tmp_path, y_train=convert(good["y_train"]), y_test=convert(good["y_test"])))
    assert source.class_names == names
    assert source.y_train.tolist() == plain.y_train.tolist()
    assert source.y_test.tolist() == plain.y_test.tolist()
    assert source.y_train.dtype == source.y_test.dtype == np.int64


def test_truth_values_are_two_classes(tmp_path):
    good = _good()
    source = read_npz(_write(tmp_path, y_train=good["y_train"] > 0, y_test=good["y_test"] > 0))
    assert source.y_train.tolist() == [0, 1, 1, 0, 1, 1]
    assert source.class_names == ("0", "1")


_TAKEN = {
    "a table": ({"x": np.linspace(-3, 9, 8).reshape(4, 2)}, {}, ("float32", (2,)), ("int64", ())),
    "a table of whole numbers": ({"x": np.arange(8).reshape(4, 2)}, {}, ("int32", (2,)), ("int64", ())),
    "a column": ({"x": np.linspace(-3, 9, 4)}, {}, ("float32", (1,)), ("int64", ())),
    "sequences": ({"x": np.linspace(-3, 9, 24).reshape(4, 3, 2)}, {}, ("float32", (3, 2)), ("int64", ())),
    "standardised images": (
        {"x": np.linspace(-2, 2, 4 * 48).reshape(4, 4, 4, 3)}, {}, ("float32", (4, 4, 3)), ("int64", ())
    ),
    "videos": ({"x": np.zeros((4, 2, 4, 4, 1), np.uint8)}, {}, ("int32", (2, 4, 4, 1)), ("int64", ())),
    "images that are to stay as they are": (
        {"x": np.full((4, 4, 4), 0.3)}, {"inputs": "numbers"}, ("float32", (4, 4)), ("int64", ())
    ),
    "images with channels first, meant so": (
        {"x": np.full((4, 3, 8, 8), 7)}, {"inputs": "images"}, ("uint8", (3, 8, 8)), ("int64", ())
    ),
    "amounts": ({"y": np.array([0.5, 1, 2, 3])}, {}, ("uint8", (2, 2, 1)), ("float32", (1,))),
    "pairs of amounts": ({"y": np.arange(8).reshape(4, 2) / 4}, {}, ("uint8", (2, 2, 1)), ("float32", (2,))),
    "whole amounts": ({"y": [17, 99, 3, -4]}, {"labels": "numbers"}, ("uint8", (2, 2, 1)), ("float32", (1,))),
}  # fmt: skip


@pytest.mark.parametrize("what", _TAKEN)
def test_any_numeric_array_is_taken_as_what_it_is(tmp_path, what):
    changes, settings, (kind, shape), (label_kind, label_shape) = _TAKEN[what]
    part = {"x": np.zeros((4, 2, 2), np.uint8), "y": np.array([0, 1, 0, 1])} | changes
    np.savez(
        tmp_path / "own.npz", **{f"{key}_{name}": value for name in ("train", "test") for key, value in part.items()}
    )
    dataset = Dataset.model_validate({"source": str(tmp_path / "own.npz"), **settings})
    manifest = prepare(dataset, tmp_path / "out.npz", tmp_path / "out.json")
    data = load(tmp_path / "out.npz")
    assert (data.x_train.dtype, data.input_shape) == (kind, shape)
    assert (data.y_train.dtype, data.y_train.shape[1:]) == (label_kind, label_shape)
    if kind != "uint8":
        assert np.array_equal(data.given("test").ravel(), np.asarray(part["x"], kind).ravel())
    if label_kind == "float32":
        assert data.y_test.ravel().tolist() == np.ravel(part["y"]).tolist()
        assert (manifest.class_names, manifest.classes) == ((), label_shape[0])


def test_inputs_by_name_a_validation_part_and_weights_are_kept(tmp_path):
    arrays = {f"x_{part}_{name}": np.full((3, size), size) for part in ("train", "validation", "test")
              for name, size in (("left", 2), ("right", 5))}  # fmt: skip
    arrays |= {f"y_{part}": np.array(list("abc")) for part in ("train", "validation", "test")}
    np.savez(tmp_path / "own.npz", **arrays, w_train=[1, 0.5, 2])
    prepare(Dataset.model_validate(str(tmp_path / "own.npz")), tmp_path / "out.npz", tmp_path / "out.json")
    data = load(tmp_path / "out.npz")
    assert data.parts == ("train", "validation", "test")
    assert data.input_shape == {"left": (2,), "right": (5,)}
    assert data.given("validation", slice(1))["right"].tolist() == [[5] * 5]
    assert data.weights.tolist() == [1, 0.5, 2]
    assert not data.plain


@pytest.mark.parametrize("what", _WRONG)
def test_wrong_arrays_are_refused_with_key_file_and_remedy(tmp_path, what):
    changes, sentence = _WRONG[what]
    path = _write(tmp_path, **changes)
    with pytest.raises(DataError, match=sentence) as refused:
        read_npz(path)
    assert str(path) in str(refused.value)


def test_one_class_is_refused(tmp_path):
    path = _write(tmp_path, y_train=np.zeros(6, int), y_test=np.zeros(3, int))
    with pytest.raises(DataError, match="at least two classes"):
        prepare(Dataset.model_validate(str(path)), tmp_path / "out.npz", tmp_path / "out.json")


class _Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_an_array_of_objects_is_refused_and_never_unpickled(tmp_path):
    trap = np.empty(6, dtype=object)
    trap[:] = [_Trap(str(tmp_path / "sprung"))] * 6
    path = _write(tmp_path, y_train=trap)
    with pytest.raises(DataError, match=r"'y_train' .* never unpickles"):
        read_npz(path)
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_that_is_called_npz_is_refused_and_never_unpickled(tmp_path):
    path = tmp_path / "trap.npz"
    path.write_bytes(pickle.dumps(_Trap(str(tmp_path / "sprung"))))
    with pytest.raises(DataError, match=r"trap.npz is not an .npz file"):
        read_npz(path)
    assert not (tmp_path / "sprung").exists()


def test_a_missing_key_is_named_with_the_keys_that_are_there(tmp_path):
    arrays = _good()
    del arrays["y_test"]
    np.savez(tmp_path / "part.npz", **arrays)
    with pytest.raises(DataError, match=r"part.npz has no 'y_test': .*holds x_train, y_train, x_test"):
        read_npz(tmp_path / "part.npz")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.npz does not exist: check `source`"):
        read_npz(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no more", b"x_train,y_train\n1,2\n", b"\x93NUMPY\x01\x00"])
def test_a_file_that_is_no_zip_is_named(tmp_path, content):
    path = tmp_path / "broken.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"broken.npz is not an .npz file, or a damaged one"):
        read_npz(path)


def test_a_plain_npy_is_not_taken_for_an_npz(tmp_path):
    with (tmp_path / "plain.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match=r"plain.npz is not an .npz file"):
        read_npz(tmp_path / "plain.npz")


def test_a_member_with_flipped_bits_is_named(tmp_path):
    path = _write(tmp_path)
    content = bytearray(path.read_bytes())
    pixels = content.find(bytes(range(32, 64)))
    content[pixels] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"'x_train' in .* is damaged"):
        read_npz(path)


def test_a_member_that_is_no_array_is_named(tmp_path):
    path = _write(tmp_path)
    (tmp_path / "text.npz").write_bytes(path.read_bytes())
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive, zipfile.ZipFile(path) as good:
        for member in good.namelist():
            archive.writestr(member, b"hello" if member == "y_test.npy" else good.read(member))
    with pytest.raises(DataError, match=r"'y_test' in .*other.npz"):
        read_npz(tmp_path / "other.npz")


@pytest.mark.parametrize("cut", [0.3, 0.7, 0.99])
def test_a_file_that_was_cut_is_named(tmp_path, cut):
    path = _write(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(DataError, match=r"my images.npz"):
        read_npz(path)


@given(st.data())
def test_any_damage_to_a_file_is_a_sentence_or_harmless(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "fuzz.npz"
    np.savez(path, **_good())
    content = bytearray(path.read_bytes())
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[position] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        source = read_npz(path)
    except DataError as error:
        assert str(path) in str(error)  # noqa: PT017 - most damage is found, and some is in bytes that nobody reads
    else:
        assert len(source.x_train) == len(source.y_train) == 6


@given(st.binary(max_size=300))
def test_any_bytes_in_place_of_an_array_are_a_sentence(tmp_path_factory, member):
    path = tmp_path_factory.getbasetemp() / "member.npz"
    np.savez(path, **_good())
    with zipfile.ZipFile(path) as good:
        members = {name: good.read(name) for name in good.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, b"\x93NUMPY\x01\x00" + member if name == "y_train.npy" else content)
    with pytest.raises(DataError, match=r"'y_train' in .*member.npz"):
        read_npz(path)
