"""The rule of C8: what sharing a layer does to the number of parameters."""

from twinbench.analysis.claims.entry import Finding, Stance, unmeasured, verdict_of
from twinbench.analysis.claims.evidence import Evidence, cite, known
from twinbench.analysis.claims.scores import SHARED


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
