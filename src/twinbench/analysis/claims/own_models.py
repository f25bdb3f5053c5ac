"""The answer on models of a person's own: the same or not, what differs, the gap in the score, what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from twinbench.analysis.claims.evidence import Evidence, Row, known, number_of
from twinbench.analysis.claims.lines import CHECK, Line, chance_line, seed_gaps
from twinbench.analysis.comparisons import Verdict, reservation
from twinbench.analysis.ladder import SCORE_RUNG

_KEY: Final = ("dataset", "architecture", "variant")
# Rungs: up to this one a model must come to be compared at all; whether it computes the same; and what trains it.
_RUNS, _FUNCTION, _TRAINING = 2, 6, (5, 7, 8)
_SETTINGS: Final = {"loss": "loss", "optimizer": "optimizer", "learning_rate": "learning rate"}
# More models than this are counted and not named.
_MOST: Final = 4
_SAME: Final = "The same model:"
# What the column `loss` says of a model that is trained by what it is compiled with.
_KERAS_LOOP: Final = "by Keras's own loop"


@dataclass(frozen=True)
class Effect:
    """What a model's score differs by from the reference's, for a bar: its sign in `points`, `look` by its verdict."""

    name: str
    text: str
    points: float
    look: str


@dataclass(frozen=True)
class OwnModelsAnswer:
    """The first screen of models of a person's own.

    Attributes:
        lines: the same or not and what differs, the gap, what chance does.
        next: what to do.
        effects: of each model that is compared.
        chance_points: the smallest and the largest mean gap between two seeds; None where that is not known.
        images: on how many test images runs disagree, in a sentence; empty where that was not counted.
    """

    lines: tuple[Line, ...]
    next: Line
    effects: tuple[Effect, ...]
    chance_points: tuple[float, float] | None
    images: str = ""
    question: ClassVar = "Are my models the same, and do they score the same?"

    @property
    def sentences(self) -> list[str]:
        """The same in words alone."""
        return [f"**{line.lead}** {line.text}" for line in (*self.lines, self.next)]


@dataclass(frozen=True)
class _Candidate:
    """One model that is compared: its name, and its rows of the tables."""

    name: str
    reference: str
    rungs: dict[int, Row]
    scores: Row | None
    runs: list[Row]
    reference_runs: list[Row]

    @property
    def failed(self) -> list[Row]:
        """Its runs that failed, or the reference's where none of its own did."""
        return [row for row in self.runs if row["status"] == "failed"] or [
            row for row in self.reference_runs if row["status"] == "failed"
        ]

    @property
    def verdict(self) -> str:
        """The verdict on the scores."""
        return str(self.scores["verdict"]) if self.scores else Verdict.UNDECIDED


def answer_on_own_models(evidence: Evidence, images: str, others: Sequence[Line]) -> OwnModelsAnswer:
    """Return the answer on the candidates of the tables.

    Args:
        evidence: the tables.
        images: on how many test images runs disagree, in a sentence.
        others: lines on other networks in the same tables.
    """
    candidates = _candidates(evidence)
    sameness, gaps = [_sameness(one) for one in candidates], [_gap(one) for one in candidates]
    chance = seed_gaps(evidence)
    effects = [
        Effect(one.name, *_bar(one.scores)) for one in candidates if one.scores and known(one.scores["mean_difference"])
    ]
    return OwnModelsAnswer(
        lines=(
            _joined("Same or not:", candidates, sameness),
            _joined("Scores:", candidates, gaps),
            chance_line(chance),
            *others,
        ),
        next=Line("Next:", _next(candidates, all(line.lead == _SAME for line in sameness))),
        effects=tuple(effects[:_MOST]),
        chance_points=(chance[0], chance[-1]) if chance else None,
        images=images,
    )


def _candidates(evidence: Evidence) -> list[_Candidate]:
    rows = [row for name in ("ladder", "comparisons", "runs") for row in evidence.rows(name, kind="candidate")]
    keys = dict.fromkeys(tuple(str(row[name]) for name in _KEY) for row in rows)
    several = len({key[0] for key in keys}) > 1
    found = []
    for dataset, architecture, variant in keys:
        place = {"dataset": dataset, "architecture": architecture}
        references = evidence.rows("runs", kind="reference", **place)
        scores = evidence.rows("comparisons", variant=variant, **place)
        found.append(
            _Candidate(
                f"{variant} on {dataset}" if several else variant,
                str(references[0]["variant"]) if references else "the reference",
                evidence.rungs(dataset, architecture, variant),
                scores[0] if scores else None,
                evidence.rows("runs", variant=variant, **place),
                references,
            )
        )
    return found


def _joined(lead: str, candidates: Sequence[_Candidate], lines: Sequence[Line]) -> Line:
    """Return one line of one, or what is said of several."""
    if len(lines) == 1:
        return lines[0]
    told = [
        f"{one.name}: {line.lead[0].lower()}{line.lead[1:]} {line.text}"
        for one, line in zip(candidates, lines, strict=True)
    ]
    more = f" {len(told) - _MOST} more in the tables." if len(told) > _MOST else ""
    return Line(lead, " ".join(told[:_MOST]) + more)


def _sameness(one: _Candidate) -> Line:
    """Return whether the two are the same and what differs: by the ladder, the settings, and the weights in the end."""
    rungs = {number: row for number, row in one.rungs.items() if number != SCORE_RUNG}
    failed = [number for number, row in sorted(rungs.items()) if row["outcome"] == "fail"]
    untested = [str(row["name"]) for row in rungs.values() if row["outcome"] not in ("pass", "fail")]
    said = [_ended(str(rungs[number]["sentence"])) for number in failed]
    settings = _settings(one)
    if failed and failed[0] <= _RUNS:
        return Line("It does not run:", said[0])
    if failed and rungs.get(_FUNCTION, {}).get("outcome") == "fail":
        return Line("Another model:", f"{said[0]}{settings}")
    if untested or not rungs:
        text = f"{', '.join(untested) or 'no test of sameness was made'}."
        return Line("Not fully tested:", " ".join([text, *said]) + settings)
    if any(number in _TRAINING for number in failed):
        return Line("The same function, but not the same in training:", " ".join(said) + settings)
    return _same_in_all_tests(one, said, settings)


def _same_in_all_tests(one: _Candidate, graph: Sequence[str], settings: str) -> Line:
    """Return what is left to tell of two that compute and train the same: `graph` says how they are written."""
    ending = _weights(one)
    if graph:
        return Line("The same function, written differently:", " ".join([*graph, ending]) + settings)
    if settings:
        return Line("Trained differently:", f"{settings.strip()} All tests of sameness pass.")
    if one.verdict == Verdict.IDENTICAL:
        return Line(_SAME, f"{ending[0].lower()}{ending[1:]}")
    if any(_KERAS_LOOP in str(row["loss"]) for row in one.runs):
        how = "these train both alike, and not by what each is compiled with, which may differ."
        return Line("No difference found in the networks:", f"all tests of sameness pass; {how} {ending}")
    return Line("No difference found:", f"all tests of sameness pass. {ending}")


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _settings(one: _Candidate) -> str:
    """Return the settings in which two runs that ended well differ, as a sentence; empty where in none."""
    mine, theirs = (
        next((row for row in rows if row["status"] == "ok"), None) for rows in (one.runs, one.reference_runs)
    )
    if not mine or not theirs:
        return ""
    pairs = [(words, str(theirs.get(name)), str(mine.get(name))) for name, words in _SETTINGS.items()]
    differing = [f"{words} {before} against {after}" for words, before, after in pairs if before != after]
    return f" They are trained with {', '.join(differing)}." if differing else ""


def _weights(one: _Candidate) -> str:
    """Return in how many seeds the two ended with the same weights, as a sentence."""
    ends = [
        {row["seed"]: row["final_weights_sha256"] for row in rows if row["status"] == "ok"}
        for rows in (one.runs, one.reference_runs)
    ]
    shared = ends[0].keys() & ends[1].keys()
    if not shared:
        return "No seed in which both were trained to the end shows more."
    same = sum(ends[0][seed] == ends[1][seed] for seed in shared)
    seeds = number_of(len(shared), "seed")
    if same == len(shared):
        return f"Bit-identical weights at the end in {seeds}."
    return f"Trained to the end, the two have other weights in {len(shared) - same} of {seeds}."


def _points(row: Row) -> str:
    return f"{row['mean_difference']:+.2f} points".replace("-", "\N{MINUS SIGN}")


def _gap(one: _Candidate) -> Line:
    """Return what it does to the score, with interval and seeds."""
    row, failed = one.scores, one.failed
    failures = ""
    if failed:
        rows = one.runs if failed[0] in one.runs else one.reference_runs
        failures = f" {failed[0]['variant']} failed in {len(failed)} of {number_of(len(rows), 'seed')}: "
        failures += _ended(str(failed[0]["reason"]))
    if row is None or not row["n"]:
        why = "not compared yet" if row is None and not failed else "no seed in which both ended well"
        return Line("No scores to compare:", f"{why}.{failures}")
    seeds = number_of(int(row["n"]), "seed")
    if row["verdict"] == Verdict.IDENTICAL:
        guess = "; neither is better than a constant guess" if row.get("at_chance") else ""
        return Line("No gap:", f"equal scores in {seeds}{guess}.{failures}")
    if not known(row["ci_low"]):
        return Line("Undecided:", f"{_points(row)} in {seeds}, which shows no spread.{failures}")
    interval = f"interval {row['ci_low']:+.2f} to {row['ci_high']:+.2f}".replace("-", "\N{MINUS SIGN}")
    gap = f"{_points(row)} against {one.reference} ({interval}, {seeds})"
    if row["verdict"] == Verdict.UNDECIDED:
        why = reservation(row)
        told = f" Nothing can show that the two are alike: {why}." if why else ""
        return Line("Undecided:", f"{gap}; that shows neither a gap nor that there is none.{told}{failures}")
    if row["verdict"] == Verdict.DIFFERENT:
        lead = f"{one.name} scores {'lower' if row['mean_difference'] < 0 else 'higher'}:"
        return Line(lead, f"{gap}.{failures}")
    lead = "No gap that matters:" if row["verdict"] == Verdict.EQUIVALENT else "A small gap:"
    unseen = row.get("unseen_collapse")
    beside = f"; a collapse in up to {unseen:.0f} % of seeds is not excluded" if known(unseen) else ""
    return Line(lead, f"{gap}, within {row['margin']:g} points{beside}.{failures}")


def _bar(row: Row) -> tuple[str, float, str]:
    """Return text, points and look of a bar."""
    points = float(row["mean_difference"])
    if row["verdict"] == Verdict.IDENTICAL:
        return "0 (bit-identical)", points, "api"
    open_ = " (undecided)" if row["verdict"] == Verdict.UNDECIDED else ""
    look = "fault" if row["verdict"] == Verdict.DIFFERENT else "api"
    return f"{points:+.1f}{open_}".replace("-", "\N{MINUS SIGN}"), points, look


def _next(candidates: Sequence[_Candidate], same: bool) -> str:
    """Return what to do, as one or two sentences."""
    if any(one.failed for one in candidates):
        return "fix what failed, and give the same command: what is finished is not trained again."
    if same:
        return (
            "more seeds change nothing. If runs of yours still end apart, compare what is around the models: data, "
            "epochs, callbacks."
        )
    undecided = any(one.verdict == Verdict.UNDECIDED for one in candidates)
    text = f"{CHECK} names each difference and its line; make the two alike, and only the changed model trains again."
    looked = any(one.scores is not None and known(one.scores.get("look")) for one in candidates)
    return f"{text} `--seeds settle` trains as many seeds as it takes." if undecided and not looked else text
