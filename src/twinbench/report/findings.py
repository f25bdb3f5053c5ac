"""`docs/findings.md`: what the kept results say, MNIST first and digits beside it, with nothing written by hand.

`python -m twinbench.report.findings results/reference docs` writes the page and the answer in
the read-me; `make findings` also makes the pictures.
The folder holds the kept tables of MNIST (`twinbench.report.kept`) and, each where it is there, in `digits/` and
`published/` those of the other two results and in `machine.csv` what `python -m benchmarks.machine` measured.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

import twinbench
from twinbench.analysis.claims import answer
from twinbench.analysis.files import markdown
from twinbench.analysis.outputs import API_ROW, ARTICLE
from twinbench.analysis.suspects import ranked
from twinbench.durations import duration
from twinbench.report.agreeing import agreeing_claims, agreeing_suspects, effect
from twinbench.report.catalogue import figure_entry
from twinbench.report.damage import as_json
from twinbench.report.known_scores import known_scores
from twinbench.report.page.notes import controls_apart
from twinbench.report.provenance import provenance_of
from twinbench.report.seeds_advice import seeds_advice
from twinbench.report.tables import Tables

_DAMAGE: Final = Path(twinbench.__file__).parent / "compare" / "damage.json"
PICTURE: Final = Path("images") / "suspects.png"
# Of the read-me: between them stands the answer.
_BEGIN: Final = "<!-- the answer, by `make findings` -->\n"
_END: Final = "<!-- end of the answer -->\n"
_WORDS: Final = """\
A *twin* is the same network written with another API; a *suspect* is one deliberate mistake in a network, and a
*control* changes nothing that matters. A *reference* is what both are held against: the Functional network. A *seed*
sets the initial weights, the order of the images and dropout. *Points* are percent of the test images."""


@dataclass(frozen=True)
class Kept:
    """The kept results: those on MNIST, and beside them what is there.

    Attributes:
        main: the tables of the benchmark, on MNIST where they are kept.
        digits: those on the digits; None where they are not kept.
        published: those of the networks with a published score; None where they are not kept.
        machine: one row for each change of the machine; None where that was not measured.
    """

    main: Tables
    digits: Tables | None = None
    published: Tables | None = None
    machine: pd.DataFrame | None = None

    @classmethod
    def read(cls, folder: Path) -> "Kept":
        """Read a folder of kept results; without those on MNIST the digits come first.

        Raises:
            RecordError: it holds no tables.
        """
        digits, published = (
            Tables.read(path) if path.is_dir() else None for path in (folder / "digits", folder / "published")
        )
        machine = pd.read_csv(folder / "machine.csv") if (folder / "machine.csv").is_file() else None
        if digits and not (folder / "runs.csv").is_file():
            return cls(digits, None, published, machine)
        return cls(Tables.read(folder), digits, published, machine)

    @property
    def named(self) -> dict[str, Tables]:
        """The benchmark's results by the name of their datasets."""
        return {_title(tables.datasets): tables for tables in (self.main, self.digits) if tables}


def findings(kept: Kept) -> str:
    """Return the page as Markdown: the answer first, then what it rests on.

    Raises:
        NothingToShowError: a table is missing; the sentence says which.
    """
    named = kept.named
    name = _title(kept.main.datasets)
    because = kept.main.get("claims")
    place = "results/reference" + ("/digits" if kept.main.folder.name == "digits" else "")
    sections = {
        "": [
            "**My Keras `Sequential` model scores lower than my Functional model, though they are the same. Why?**",
            f"On {name} ({_extent(kept.main)}):",
            "\n".join(f"- {sentence}" for sentence in [*answer(kept.main.frames).sentences, *_others(kept)]),
            _WORDS,
        ],
        "Verdicts on the claims": [
            f"The claims are those of an article ({ARTICLE}), in our own words.",
            markdown(_claims(named), floatfmt=".2f"),
            f"What decides them on {name}:",
            "\n".join(f"- **{row['claim']}** {row['because']}" for row in because.to_dict("records")),
        ],
        f"Where {' and '.join(named)} agree, and where not": [
            "\n".join(f"- {sentence}" for sentence in [*agreeing_claims(named), *agreeing_suspects(named)])
        ],
        "What costs points": [
            f"![{figure_entry('suspects').alt}]({PICTURE.as_posix()})",
            "Points of test score against the untouched network. In brackets the interval; all intervals of a dataset "
            "hold together. *Unconfirmed*: its interval misses zero only by itself.",
            *(controls_apart(tables) for tables in named.values()),
            markdown(_suspects(named), floatfmt=".2f"),
        ],
        "What chance does": [
            "Each row is one reference network under several seeds; the gap is the mean distance between two of them.",
            markdown(_chance(named), floatfmt=".2f", intfmt=","),
            *(_guessing(name, tables) for name, tables in named.items()),
        ],
        "How many seeds": [f"On {name}: {seeds_advice(part.get('seeds_needed'))}" for name, part in named.items()],
        "Published against measured": known_scores(kept.published) if kept.published else [],
        "What the machine does": _machine(kept.machine) if kept.machine is not None else [],
        "How this was made": [
            markdown(_made(kept), floatfmt=".1f", intfmt=","),
            "`make findings` makes this page from the tables in `results/reference`; nothing here is written by hand. "
            f"`twinbench reproduce {place}/runs.csv --sample 3` trains three of its runs again and compares.",
        ],
    }
    parts = ["# What was found"]
    for title, content in sections.items():
        parts += [f"## {title}"] if title and any(content) else []
        parts += [part for part in content if part]
    return "\n\n".join(parts) + "\n"


def with_answer(read_me: str, kept: Kept) -> str:
    """Return the read-me with the answer between its two markers.

    Raises:
        ValueError: it lacks a marker.
    """
    before, rest = read_me.split(_BEGIN)
    after = rest.split(_END)[1]
    lines = "\n".join(f"- {sentence}" for sentence in answer(kept.main.frames).sentences)
    return f"{before}{_BEGIN}\nOn {_title(kept.main.datasets)} ({_extent(kept.main)}):\n\n{lines}\n\n{_END}{after}"


def _title(datasets: Iterable[str]) -> str:
    return ", ".join({"mnist": "MNIST"}.get(name, name) for name in dict.fromkeys(datasets))


def _extent(tables: Tables) -> str:
    runs = tables.get("runs")
    trained, tested = (
        ", ".join(f"{count:,}" for count in counts.unique())
        for counts in (runs["train_examples"] + runs["validation_examples"], runs["test_examples"])
    )
    failed = f", {len(tables.failed):,} of them failed" if len(tables.failed) else ""
    return f"{trained} training and {tested} test images, {len(tables.seeds)} seeds, {len(runs):,} runs{failed}"


def _others(kept: Kept) -> list[str]:
    """What the results beside the first add, a sentence each."""
    sentences = []
    if kept.digits:
        first, *_ = agreeing_claims(kept.named)
        sentences.append(
            f"**On {_title(kept.digits.datasets)}** ({_extent(kept.digits)}): {first[:1].lower()}{first[1:]}"
        )
    if kept.published:
        sentences.append(known_scores(kept.published)[0])
    if kept.machine is not None:
        sentences.append(_machine(kept.machine)[0])
    return sentences


def _claims(named: dict[str, Tables]) -> pd.DataFrame:
    first = next(iter(named.values())).get("claims")
    table = first[["claim", "statement"]].rename(columns={"claim": "", "statement": "claim"})
    for name, tables in named.items():
        verdicts = tables.get("claims").set_index("claim")["verdict"]
        table[name] = verdicts.reindex(first["claim"]).fillna("").to_numpy()
    return table


def _suspects(named: dict[str, Tables]) -> pd.DataFrame:
    by_name = {
        name: {str(row["suspect"]): row for row in ranked(tables.get("suspects")).to_dict("records")}
        for name, tables in named.items()
    }
    about = {suspect: str(row["changes"]) for rows in by_name.values() for suspect, row in rows.items()}
    rows = [
        {
            "": API_ROW if suspect == API_ROW else f"`{suspect}`",
            "what it changes": "the API" if suspect == API_ROW else changes,
        }
        | {name: effect(rows[suspect]) if suspect in rows else "" for name, rows in by_name.items()}
        for suspect, changes in about.items()
    ]
    return pd.DataFrame(rows)


def _chance(named: dict[str, Tables]) -> pd.DataFrame:
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for name, tables in named.items():
        means = tables.get("summary").set_index(["dataset", "architecture", "variant"])["mean"]
        for row in tables.get("noise_floor").to_dict("records"):
            if row["kind"] == "reference":
                network = (str(row["architecture"]), str(row["score_name"]))
                mean = means[row["dataset"], row["architecture"], row["variant"]]
                rows.setdefault(network, {"network": network[0], "score": network[1]}).update(
                    {
                        f"{name}: mean (standard deviation)": f"{mean:.2f} ({row['std']:.2f})",
                        f"{name}: gap": row["mean_gap"],
                        f"{name}: chance of a gap of 0.5": row["gap_0.5"],
                    }
                )
    return pd.DataFrame(rows.values())


def _guessing(name: str, tables: Tables) -> str:
    """Which networks learned nothing, so that their gaps say nothing; empty where there is none."""
    rows = tables.get("comparisons")
    networks = ", ".join(f"`{network}`" for network in rows[rows["at_chance"]]["architecture"].unique())
    return networks and f"On {name} no better than a constant guess, so that the gap says nothing: {networks}."


def _machine(table: pd.DataFrame) -> list[str]:
    """The sentence on what the machine does to a score, and its table."""
    moved = table["drift"].max()
    worst = table.loc[table["drift"].idxmax(), "change"]
    gap = table["seed_gap"].iloc[0]
    networks = ", ".join(table["architecture"].unique())
    sentence = (
        f"**The machine** moves the score of {networks} on {_title(table['dataset'])} by up to {moved:.2f} points "
        f"under the same seed ({worst}; mean over {table['seeds'].iloc[0]} seeds), another seed by {gap:.2f}."
    )
    shown = {
        "architecture": "network",
        "change": "changed",
        "seeds": "seeds",
        "identical": "bit-identical",
        "shift": "mean change",
        "drift": "mean distance",
        "largest": "largest distance",
        "images": "images of another class (%)",
        "seed_gap": "between two seeds",
    }
    return [
        sentence,
        f"Each seed was trained as usual ({table['epochs'].iloc[0]} epochs, batches of {table['batch_size'].iloc[0]}, "
        "one thread, oneDNN as TensorFlow sets it, float32) and again with one thing changed. Distances are in points "
        "between the two runs of a seed; the last column is the mean distance between two seeds of the usual run.",
        markdown(table[list(shown)].rename(columns=shown), floatfmt=".3f"),
    ]


def _made(kept: Kept) -> pd.DataFrame:
    rows = []
    for tables in (kept.main, kept.digits, kept.published):
        if tables is None:
            continue
        runs, made = tables.get("runs"), provenance_of(tables)
        rows.append(
            {
                "dataset": _title(tables.datasets),
                "networks": runs["architecture"].nunique(),
                "runs": len(runs),
                "failed": len(tables.failed),
                "seeds": len(tables.seeds),
                "epochs": ", ".join(str(count) for count in sorted(runs["epochs"].unique())),
                "time of all runs": duration(float(tables.get("costs")["seconds"].sum())),
                "commit": made.commit,
                "machine": made.device,
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Write the page of the kept results that the command names into the docs folder that it names.

    And the answer into the read-me, and what each suspect cost to where `twinbench compare` reads it.
    """
    folder, docs = Path(sys.argv[1]), Path(sys.argv[2])
    kept = Kept.read(folder)
    (docs / "findings.md").write_text(findings(kept), encoding="utf-8")
    _DAMAGE.write_text(as_json(kept.named.values()), encoding="utf-8")
    read_me = docs.parent / "README.md"
    read_me.write_text(with_answer(read_me.read_text(encoding="utf-8"), kept), encoding="utf-8")


if __name__ == "__main__":
    main()
