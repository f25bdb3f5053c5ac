"""Writing figures: footer, metadata, and bytes that depend on nothing but the tables."""

import io
from pathlib import Path

from matplotlib.figure import Figure

from twinbench.data.files import replacing
from twinbench.report.provenance import Provenance


def metadata(file_format: str, title: str, description: str, provenance: Provenance) -> dict[str, str | None]:
    """Return what the file says of itself, in the keys of its format; without a date, so that bytes repeat."""
    about = f"{description} {provenance.line}"
    if file_format == "svg":
        return {"Title": title, "Description": about, "Creator": f"twinbench {provenance.twinbench}", "Date": None}
    if file_format == "pdf":
        return {"Title": title, "Subject": about, "Creator": "twinbench", "Producer": None, "CreationDate": None}
    return {
        "Title": title,
        "Description": about,
        "Software": f"twinbench {provenance.twinbench}",
        "Commit": provenance.commit,
        "Configuration": provenance.configuration,
        "Seeds": provenance.seeds,
        "Device": provenance.device,
    }


def save(figure: Figure, path: Path, title: str, description: str, provenance: Provenance) -> None:
    """Write a figure in the format that the path's suffix names, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    file_format = path.suffix.removeprefix(".")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=file_format, metadata=metadata(file_format, title, description, provenance))
    figure.set_layout_engine("none")  # laid out once, for every format
    with replacing(path) as file:
        file.write(buffer.getvalue())
