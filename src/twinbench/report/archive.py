"""Packs a results folder as an RO-Crate: one archive to deposit, which says what each file is and how it was made.

It follows RO-Crate 1.1 and the profile Process Run Crate 0.5: an action for each environment that trained runs, with
the code, its commit and the versions, the configuration and the datasets that went in, and the records that came out.
"""

import csv
import hashlib
import json
import mimetypes
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
from rocrate.model import ContextEntity, File
from rocrate.rocrate import ROCrate

from twinbench.analysis.outputs import TABLES
from twinbench.analysis.records import configuration_digest
from twinbench.errors import RecordError, UsageError
from twinbench.report.catalogue import FIGURES

# The datasets' files are not ours to publish: their manifests have the checksums. The store repeats the records.
PACKED: Final = (
    "report.html",
    "answer.rst",
    "tables/*",
    "figures/*",
    "data/*.json",
    "runs/*/*.parquet",
    "ladder/*",
    "measurements/*/*",
)
_PROFILE: Final = "https://w3id.org/ro/wfrun/process/0.5"
_PACKAGES: Final = ("tensorflow", "keras", "numpy", "python")
_MEDIA_TYPES: Final = {".md": "text/markdown", ".tex": "text/x-tex", ".parquet": "application/vnd.apache.parquet"}


def archive_results(results: Path, archive: Path, *, title: str, licence: str | None, authors: Sequence[str]) -> int:
    """Pack a results folder.

    Args:
        results: the folder that a benchmark wrote.
        archive: the zip file to write; it is there whole or not at all.
        title: name of the deposit.
        licence: address of the licence under which the results are published, if it is known.
        authors: their names, or addresses of their ORCIDs.

    Returns:
        The number of files from the folder.

    Raises:
        UsageError: the folder holds no finished results.
        RecordError: its tables are not those of its records, or its datasets are others.
    """
    files = sorted({path for pattern in PACKED for path in results.glob(pattern) if path.is_file()})
    records = [path for path in files if path.suffix == ".parquet"]
    if not records or not (results / "tables" / "runs.csv").is_file():
        raise UsageError(f"{results} holds no finished results: runs/ and tables/runs.csv are needed; run snakemake.")
    manifests = _manifests(records)
    _check(results, [path for path in files if path.parent.name == "data"], records)

    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms["sha256"] = "https://schema.org/sha256"
    profile = _add(crate, _PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
    crate.root_dataset["conformsTo"] = profile
    crate.name = title
    crate.description = "Results of a twinbench benchmark: do ways to write the same Keras model score the same?"
    crate.license = _add(crate, licence, "CreativeWork", name=licence) if licence else "No licence was stated."
    people = [_add(crate, name if ":" in name else f"#{name}", "Person", name=name) for name in authors]
    if people:
        crate.root_dataset["author"] = people

    with tempfile.TemporaryDirectory(dir=archive.absolute().parent) as scratch:
        packed = {path: _add_file(crate, path, path.relative_to(results).as_posix()) for path in files}
        inputs = [packed[path] for path in files if path.parent.name == "data"]
        for text, outputs in manifests.items():
            provenance = Path(scratch) / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
            provenance.write_text(json.dumps(json.loads(text), indent=2) + "\n", encoding="utf-8")
            _add_action(crate, provenance, inputs, [packed[path] for path in outputs], people)
        whole = Path(scratch) / "whole.zip"
        crate.write_zip(whole)
        whole.replace(archive)
    return len(files)


def _manifests(records: Sequence[Path]) -> dict[str, list[Path]]:
    """Each environment that trained runs, as it recorded itself, with the records that have runs of it."""
    manifests: dict[str, list[Path]] = {}
    for path in records:
        for text in sorted(set(pq.read_table(path, columns=["manifest"])["manifest"].to_pylist())):
            manifests.setdefault(text, []).append(path)
    return manifests


def _check(results: Path, data: Sequence[Path], records: Sequence[Path]) -> None:
    """Refuse results of which one part is older than another."""
    columns = [pq.read_table(path, columns=["run", "dataset_sha256"]) for path in records]
    recorded = {run for table in columns for run in table["run"].to_pylist()}
    with (results / "tables" / "runs.csv").open(encoding="utf-8", newline="") as file:
        tabled = {row["run"] for row in csv.DictReader(file)}
    if recorded != tabled:
        raise RecordError(f"{results}/tables is not of the runs in {results}/runs; run snakemake, then archive again.")
    described = {json.loads(path.read_text(encoding="utf-8"))["sha256"] for path in data}
    used = {sha256 for table in columns for sha256 in table["dataset_sha256"].to_pylist() if sha256}
    if not used <= described:
        raise RecordError(
            f"{results}/data does not describe all data that the runs used; run snakemake, then archive again."
        )


def _add(crate: ROCrate, address: str, kind: str, /, **properties: Any) -> ContextEntity:
    """Add an entity that is no file, or return the one of that name."""
    return crate.get(address) or crate.add(ContextEntity(crate, address, properties={"@type": kind, **properties}))


def _add_file(crate: ROCrate, path: Path, place: str) -> File:
    media_type = _MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    content = path.read_bytes()
    properties = {
        "name": place,
        "description": _description(place),
        "encodingFormat": media_type,
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    file: File = crate.add_file(path, dest_path=place, properties=properties)
    return file


def _description(place: str) -> str:
    """What a file is, in a sentence."""
    folder, _, name = place.partition("/")
    if folder == "tables":
        return next((entry.caption for entry in TABLES if entry.name == Path(name).stem), "A table.")
    if folder == "figures":
        return next((entry.caption for entry in FIGURES if name.startswith(f"{entry.name}-")), "A figure.")
    return {
        "report.html": "The page: the answer, the verdicts, the figures and every run.",
        "answer.rst": "The answer in words.",
        "data": "A dataset: where it is from, its version, its checksums and its classes. The data itself is not here.",
        "runs": "The records of the runs of one job, with what trained them.",
        "ladder": "Each variant held against its reference, rung by rung.",
        "measurements": "Repeated measurements of gradients or costs.",
        "provenance": "What trained runs: versions, machine, commit and the resolved configuration.",
    }[folder]


def _add_action(
    crate: ROCrate,
    provenance: Path,
    inputs: Sequence[File],
    outputs: Sequence[File],
    people: Sequence[ContextEntity],
) -> None:
    """Add how some of the runs were trained: code and versions, what went in, and what came out."""
    manifest = json.loads(provenance.read_text(encoding="utf-8"))
    configuration = configuration_digest(manifest["configuration"])
    commit = f"commit {manifest['git_commit'] or 'not recorded'}"
    if manifest["git_dirty"]:
        commit += " with changes that are not in it"
    machine = manifest["gpu"] or manifest["cpu"]
    versions = [
        _add(crate, f"#{name}-{manifest[name]}", "SoftwareApplication", name=name, softwareVersion=manifest[name])
        for name in _PACKAGES
    ]
    software = _add(
        crate,
        f"#twinbench-{provenance.stem}",
        "SoftwareApplication",
        name="twinbench",
        softwareVersion=manifest["twinbench"],
        identifier=commit,
        softwareRequirements=versions,
    )
    ended = max(Path(output.source).stat().st_mtime for output in outputs)
    crate.root_dataset.append_to(
        "mentions",
        _add(
            crate,
            f"#training-{provenance.stem}",
            "CreateAction",
            name=f"Training with configuration {configuration}, {commit}",
            description=f"On {machine}, {manifest['os']}; threads a run: {manifest['threads']}.",
            instrument=software,
            object=[_add_file(crate, provenance, f"provenance/{provenance.name}"), *inputs],
            result=list(outputs),
            **({"agent": list(people)} if people else {}),
            endTime=datetime.fromtimestamp(ended, UTC).isoformat(timespec="seconds"),
        ),
    )
