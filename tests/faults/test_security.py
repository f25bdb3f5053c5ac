"""What comes from outside runs nothing, and writes nowhere but where it should."""

import io
import tarfile
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tests.faults.made import RunningSnakemake, made_record
from tests.report.synthetic import HOSTILE

from twinbench.analysis.files import write_tables
from twinbench.analysis.outputs import TABLES
from twinbench.config import read_configuration
from twinbench.errors import ConfigurationError


def test_a_folder_named_as_a_command_is_a_folder_and_no_command(tmp_path: Path) -> None:
    output = "$(touch sprung); touch sprung & `touch sprung` 'touch sprung' \"|touch sprung\""
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"output": output, "suspects": []}))
    running = RunningSnakemake(tmp_path, f"{output}/data/digits.npz", "--cores", "1", "--configfile", "mine.yaml")
    assert running.wait() == 0, running.output
    assert (tmp_path / output / "data" / "digits.npz").is_file()
    assert not list(tmp_path.rglob("sprung"))


@pytest.mark.parametrize(
    "text",
    ["output: !!python/object/apply:os.system ['touch sprung']", "!!python/object/new:os.mkdir ['sprung']"],
)
def test_a_configuration_makes_no_objects(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"mine\.yaml is not valid YAML at line 1"):
        read_configuration(tmp_path / "mine.yaml")
    assert not (tmp_path / "sprung").exists()


def test_a_tar_is_unpacked_inside_its_folder_only_whatever_its_members_and_links_say(tmp_path: Path) -> None:
    from tensorflow_datasets.core.download import extractor, resource

    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    archive, target = tmp_path / "images.tar.gz", tmp_path / "extracted"
    with tarfile.open(archive, "w:gz") as tar:
        for name, link in (
            ("images/one.txt", ""),
            ("../outside/climbed.txt", ""),
            ("images/../../outside/climbed.txt", ""),
            (f"{outside}/absolute.txt", ""),
            ("images/link", str(outside)),
            ("images/link/through.txt", ""),
            ("images/secret.txt", str(outside / "secret.txt")),
        ):
            member = tarfile.TarInfo(name)
            content = b"" if link else b"an archive must not write here"
            member.size = len(content)
            if link:
                member.type, member.linkname = tarfile.SYMTYPE, link
            tar.addfile(member, io.BytesIO(content))
    unpacking = extractor.get_extractor()
    with unpacking.tqdm():
        unpacking.extract(archive, resource.ExtractMethod.TAR_GZ, target).get()
    assert [path.name for path in outside.iterdir()] == ["secret.txt"]
    unpacked = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert "images/one.txt" in unpacked
    assert "images/secret.txt" not in unpacked
    assert not [path for path in target.rglob("*") if path.is_symlink()]


def test_a_name_from_outside_is_text_in_every_table_that_is_made_for_reading(tmp_path: Path) -> None:
    reason = "It cannot be built: ValueError: a | b & <img src=x onerror=alert(1)>"
    names = {"variant": HOSTILE, "reason": reason, "sentence": reason, "statement": reason}
    tables = {table.name: pd.DataFrame([{column: names.get(column, 1) for column in table.names}]) for table in TABLES}
    write_tables(tables, tmp_path)
    assert made_record(reason=reason).outcome.reason == reason
    for path in tmp_path.iterdir():
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".csv":
            read = pd.read_csv(path)
            assert "variant" not in read or read["variant"][0] == HOSTILE
            assert "reason" not in read or read["reason"][0] == reason
        elif path.suffix != ".tex":
            assert "<script" not in text, path
            assert "<img" not in text, path
        if path.suffix == ".md":
            assert len({line.replace("\\|", "").count("|") for line in text.splitlines() if line}) == 1, path
