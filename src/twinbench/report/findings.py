"""`docs/findings.md`: what one run of the benchmark found, copied from its tables, with nothing written by hand.

`python -m twinbench.report.findings results docs` (`make findings`) writes the page and copies the ranking of suspects.
"""

import shutil
import sys
from pathlib import Path
from typing import Final

import pandas as pd

from twinbench.analysis.claims import answer
from twinbench.analysis.files import markdown
from twinbench.report.catalogue import figure_file
from twinbench.report.page.notes import controls_apart
from twinbench.report.provenance import provenance_of
from twinbench.report.tables import Tables

_CLAIMS: Final = {"claim": "", "statement": "claim", "verdict": "verdict"}
_SUSPECTS: Final = {
    "suspect": "suspect",
    "changes": "what it changes",
    "mean_difference": "difference",
    "ci_low": "from",
    "ci_high": "to",
    "seen_difference": "seen",
    "verdict": "verdict",
}
_SCORES: Final = {
    "dataset": "dataset",
    "architecture": "architecture",
    "score_name": "score",
    "n": "seeds",
    "mean": "mean",
    "std": "standard deviation",
}
_RANKING: Final = Path("images") / "suspects.png"


def findings(tables: Tables) -> str:
    """Return the page as Markdown: answer, verdicts with their reasons, suspects, and the scores of the references.

    Raises:
        NothingToShowError: a table is missing; the sentence says which.
    """
    claims, suspects, summary, runs = (tables.get(name) for name in ("claims", "suspects", "summary", "runs"))
    suspects = suspects.sort_values("mean_difference", kind="stable")
    references = summary[summary["kind"] == "reference"]
    failed = int((runs["status"] != "ok").sum())
    parts = [
        "# What was found",
        f"{len(runs):,} runs on {', '.join(tables.datasets)}, {failed:,} of them failed. Made from the tables of one "
        "results folder by `make findings`; nothing here is written by hand.",
        f"{provenance_of(tables).line}.",
        "\n".join(f"- {sentence}" for sentence in answer(tables.frames).sentences),
        "## Verdicts",
        _table(claims, _CLAIMS),
        *(f"**{row['claim']}** {row['because']}" for row in claims.to_dict("records")),
        "## What really lowers the score",
        f"![Effect on the test score of each suspect, largest damage on top]({_RANKING.as_posix()})",
        "In points of test score against the untouched reference, with the interval; `seen` is what the person sees "
        "where a metric reads wrong.",
        controls_apart(tables),
        _table(suspects, _SUSPECTS),
        "## Scores of the references",
        _table(references, _SCORES),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(frame: pd.DataFrame, columns: dict[str, str]) -> str:
    return markdown(frame[list(columns)].rename(columns=columns), floatfmt=".2f", intfmt=",")


def main() -> None:
    """Write the page of the results folder that the command names into the docs folder that it names."""
    results, docs = Path(sys.argv[1]), Path(sys.argv[2])
    tables = Tables.read(results / "tables")
    (docs / "findings.md").write_text(findings(tables), encoding="utf-8")
    ranking = figure_file("suspects", tables.datasets[0], "png")
    shutil.copyfile(results / "figures" / ranking, docs / _RANKING)


if __name__ == "__main__":
    main()
