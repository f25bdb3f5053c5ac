"""What `make site` adds to this folder: the README, the project's files, and an example of a report.

mkdocs.yml names this file as a hook. The README and its like link to `docs/NAME.md`; on the site that is beside them.
"""

import os
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_ROOT = Path(__file__).resolve().parents[1]
_PAGES = {"README.md": "readme.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
_FILES = ("CITATION.cff", "LICENSE")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and files that are elsewhere in the repository."""
    places = {"docs/": "", **_PAGES}
    for source, page in _PAGES.items():
        text = (_ROOT / source).read_text(encoding="utf-8")
        for old, new in places.items():
            text = text.replace(f"]({old}", f"]({new}")
        files.append(File.generated(config, page, content=text))
    for name in _FILES:
        files.append(File.generated(config, name, abs_src_path=str(_ROOT / name)))
    report = _ROOT / os.environ.get("TWINBENCH_RESULTS", "results") / "report.html"
    if report.is_file():
        files.append(File.generated(config, "example/report.html", abs_src_path=str(report)))
        said = "[The report of a benchmark](example/report.html), as `make` writes it: one page, complete in itself."
    else:
        said = "This site was built without a report: `make` writes one, and `make site` then puts it here."
    files.append(File.generated(config, "example.md", content=f"# An example\n\n{said}\n"))
    return files
