"""The rules of C2 and C8: what sharing a layer does to the number of parameters."""

from twinbench.analysis.claims.entry import ClaimVerdict, Finding, Stance, unmeasured, verdict_of
from twinbench.analysis.claims.evidence import Evidence, Row, cite, known, named
from twinbench.analysis.claims.scores import SHARED

# Rungs that show one set of weights behind both uses: count, function, gradients.
_ONE_SET = (4, 6, 7)


def sequential_duplicates_layers(evidence: Evidence, dataset: str) -> Finding:
    """C2: a layer that two Sequentials hold becomes two layers with weights of their own."""
    stances: list[Stance] = []
    phrases: list[str] = []
    cited: list[str] = []
    for name in SHARED:
        for row in evidence.sequential_twins("parameters", dataset, name):
            reference = evidence.rows("parameters", dataset=dataset, architecture=name, kind="reference")
            if not reference or not known(row["parameters"]) or not known(reference[0]["parameters"]):
                continue
            rungs = evidence.rungs(dataset, name, str(row["variant"]))
            stances.append(_duplicated(row, reference[0], rungs))
            phrases.append(_counted(row, reference[0], rungs))
            cited += [*cite("parameters", [row, reference[0]]), *cite("ladder", list(rungs.values()))]
    if not stances:
        return unmeasured(
            "No network with a shared layer was counted as Sequential",
            f"Add {' or '.join(SHARED)} to `architectures`, with all variants",
        )
    verdict = verdict_of(stances)
    lacking = "The ladder of the variants named, rungs 4, 6 and 7." if verdict is ClaimVerdict.INCONCLUSIVE else ""
    return Finding(verdict, f"{'; '.join(phrases)}.", tuple(dict.fromkeys(cited)), lacking)


def _duplicated(row: Row, reference: Row, rungs: dict[int, Row]) -> Stance:
    """Return what one Sequential with a shared layer says of "it makes independent instances".

    Equal counts alone would not do: two layers of half the size count the same. So the ladder must show, too, that
    the reference's weights, put in, give the same outputs and the same gradients.
    """
    if int(row["parameters"]) > int(reference["parameters"]):
        return Stance.FOR
    outcomes = [rungs[number]["outcome"] for number in _ONE_SET if number in rungs]
    if int(row["parameters"]) == int(reference["parameters"]) and outcomes == ["pass"] * len(_ONE_SET):
        return Stance.AGAINST
    return Stance.OPEN


def _counted(row: Row, reference: Row, rungs: dict[int, Row]) -> str:
    text = (
        f"{named(row)} has {int(row['parameters']):,} parameters, the Functional one {int(reference['parameters']):,}"
    )
    if known(row["parameters_per_call"]):
        text += f" (a use of a layer counted as a layer of its own: {int(row['parameters_per_call']):,})"
    shown = [number for number in _ONE_SET if number in rungs]
    if not shown:
        return f"{text}, and its ladder was not climbed"
    failed = [number for number in shown if rungs[number]["outcome"] != "pass"]
    if failed:
        return f"{text}, and rung {failed[0]} of the ladder ({rungs[failed[0]]['name']}) is not passed"
    return f"{text}, and with the same weights its outputs and gradients are the same"


def sharing_saves_parameters(evidence: Evidence, dataset: str) -> Finding:
    """C8: a network that uses a layer twice has fewer parameters than one with a layer for each use."""
    stances: list[Stance] = []
    phrases: list[str] = []
    cited: list[str] = []
    for name in SHARED:
        rows = [
            row for row in evidence.rows("parameters", dataset=dataset, architecture=name) if known(row["parameters"])
        ]
        unshared = [row for row in rows if str(row["variant"]).endswith("_unshared")]
        sharing = [row for row in rows if row["kind"] in ("reference", "twin")]
        if not unshared or not sharing:
            continue
        for other in unshared:
            full = int(other["parameters"])
            stances += [Stance.FOR if int(row["parameters"]) < full else Stance.AGAINST for row in sharing]
            counts = ", ".join(f"{row['variant']} {int(row['parameters']):,}" for row in sharing)
            phrases.append(f"{name}: {full:,} parameters unshared ({other['variant']}), shared {counts}")
        cited += cite("parameters", [*sharing, *unshared])
    if not stances:
        return unmeasured(
            "No network was counted both with a shared layer and without",
            f"Add {' or '.join(SHARED)} to `architectures`, with all variants",
        )
    return Finding(verdict_of(stances), f"{'; '.join(phrases)}.", tuple(cited))
