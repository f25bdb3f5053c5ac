"""A made folder of tables: the real architectures, variants and suspects, with invented but plausible numbers.

Deterministic. Twins are bit-identical to their reference, some runs fail, and some strings are hostile.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from twinbench.analysis.agreement import agreement
from twinbench.analysis.claims import decide_claims
from twinbench.analysis.comparisons import compare_variants
from twinbench.analysis.files import write_tables as write_files
from twinbench.analysis.ladder import with_scores
from twinbench.analysis.noise_floor import noise_floor
from twinbench.analysis.outputs import BY_NAME
from twinbench.analysis.record_tables import IDENTITY
from twinbench.analysis.seeds_needed import seeds_needed
from twinbench.analysis.summary import summarise
from twinbench.analysis.suspects import suspects_table
from twinbench.architectures import architectures, suspects
from twinbench.store.predictions import pack

HOSTILE = "<script>alert(1)</script>"
EPOCHS = 12
_LEVEL = {
    "mlp": 96.4,
    "plain_cnn": 98.6,
    "branching_cnn": 98.2,
    "residual_cnn": 98.4,
    "deep_residual_mlp": 95.5,
    "shared_autoencoder": 93.1,
    "shared_views": 97.6,
}
_EFFECT = {
    "sequential_linear": -0.4,
    "sequential_one_branch": -0.9,
    "sequential_no_skip": -2.5,
    "sequential_unshared": 0.6,
    "functional_unshared": -0.3,
    "functional_reordered": 0.0,
    "activation_missing": -1.1,
    "layer_missing": -2.4,
    "padding_valid": -0.3,
    "initializer_scale": -6.2,
    "frozen_layers": -7.9,
    "normalization_stuck": -0.8,
    "logits_as_probabilities": -71.5,
    "default_learning_rate": -0.2,
    "inputs_not_scaled": -0.5,
    "sorted_validation_tail": -9.4,
    "repeated_first_batch": -38.2,
    "larger_batch": -3.1,
}
_PARAMETERS = {
    "mlp": 25_450,
    "plain_cnn": 21_578,
    "branching_cnn": 55_450,
    "residual_cnn": 38_634,
    "deep_residual_mlp": 130_890,
    "shared_autoencoder": 74_497,
    "shared_views": 12_330,
}
_RUNGS = (
    "builds",
    "runs on a batch",
    "same graph",
    "same parameter count",
    "same initial weights",
    "same function",
    "same gradients",
    "same training",
    "same score",
)


def _hash(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def _number(*parts: object) -> float:
    """A standard normal number that depends on its names only."""
    return float(np.random.default_rng(int(_hash(*parts)[:12], 16)).standard_normal())


def _variants(extra: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    known = [(v.architecture, v.name, v.kind) for a in architectures().values() if a.default for v in a.variants]
    return [*known, *(("plain_cnn", s.name, "suspect") for s in suspects()), *extra]


def _run(dataset: str, architecture: str, variant: str, kind: str, seed: int) -> dict[str, Any]:
    task = architectures()[architecture].task if architecture in architectures() else "classify"
    stream = "reference" if kind in ("reference", "twin") or variant in ("nothing", "wrong_metric") else variant
    easy = {"digits": 0.0, "mnist": 0.6}.get(dataset, -1.0)
    level = _LEVEL.get(architecture, 95.0) + easy + _EFFECT.get(variant, 0.0)
    spread = 0.35 + 0.04 * abs(_EFFECT.get(variant, 0.0))
    score = min(level + spread * _number(dataset, architecture, stream, seed), 100.0)
    if task == "classify":
        score = round(score * 3.6) / 3.6
    failed = variant == "initializer_scale" and seed == 2
    parameters = int(_PARAMETERS.get(architecture, 9_999) * (1.34 if "unshared" in variant else 1.0))
    return {
        "run": _hash(dataset, architecture, variant, seed)[:16],
        "dataset": dataset,
        "architecture": architecture,
        "variant": variant,
        "kind": kind,
        "seed": seed,
        "status": "failed" if failed else "ok",
        "reason": f"the loss became NaN in epoch 3 {HOSTILE}" if failed else "",
        "task": task,
        "score_name": "accuracy" if task == "classify" else "explained variance",
        "optimizer": "adam",
        "learning_rate": 0.002,
        "batch_size": 32,
        "epochs": EPOCHS,
        "loss": "cross-entropy on logits" if task == "classify" else "mean squared error",
        "precision": "float32",
        "determinism": "strict",
        "threads": 1,
        "init": "own",
        "vary": "init order dropout",
        "train_examples": 1293,
        "validation_examples": 144,
        "test_examples": 360,
        "parameters": parameters,
        "trainable_parameters": parameters - 64,
        "non_trainable_parameters": 64,
        "train_loss": np.nan if failed else 0.02,
        "validation_loss": np.nan if failed else 0.07,
        "validation_score": np.nan if failed else score - 0.2,
        "test_loss": np.nan if failed else 0.08,
        "test_score": np.nan if failed else score,
        "seen_score": np.nan if failed else (9.8 if variant == "wrong_metric" else score),
        "dataset_sha256": _hash(dataset),
        "initial_weights_sha256": _hash(architecture, stream, seed, "initial"),
        "final_weights_sha256": "" if failed else _hash(dataset, architecture, stream, seed, "final"),
    }


def _runs(datasets: Sequence[str], seeds: Sequence[int], extra: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _run(dataset, architecture, variant, kind, seed)
            for dataset in datasets
            for architecture, variant, kind in _variants(extra)
            for seed in seeds
        ]
    )


def _predictions(run: dict[str, Any]) -> str | None:
    """Predictions of which as many are right as the score says; runs of one stream of numbers agree."""
    if run["status"] == "failed" or run["task"] != "classify":
        return None
    images = int(run["test_examples"])
    seed = int(run["final_weights_sha256"][:8], 16)
    wrong = np.random.default_rng(seed).permutation(images)[: round(images * (1 - run["test_score"] / 100))]
    labels = np.arange(images) % 10
    return pack(np.where(np.isin(np.arange(images), wrong), labels + 1, labels), labels, 10)


_KEYS = ["run", *IDENTITY.split()]
_WHO = ["dataset", "architecture", "variant", "kind"]


def _history(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for run in runs.to_dict("records"):
        stream = run["final_weights_sha256"] or run["run"]
        last = 2 if run["status"] == "failed" else EPOCHS
        for epoch in range(1, last + 1):
            loss = 2.2 * np.exp(-0.45 * epoch) + 0.02 + 0.01 * abs(_number(stream, epoch, "train"))
            score = (run["test_score"] if run["status"] == "ok" else 50.0) - 60 * np.exp(-0.6 * epoch)
            rows.append(
                {key: run[key] for key in _KEYS}
                | {
                    "epoch": epoch,
                    "train_loss": loss,
                    "validation_loss": loss * 1.2 + 0.01 * abs(_number(stream, epoch, "validation")),
                    "validation_score": score + 0.4 * _number(stream, epoch, "score"),
                }
            )
    return pd.DataFrame(rows)


def _costs(runs: pd.DataFrame) -> pd.DataFrame:
    costs = runs[_KEYS].copy()
    base = costs["architecture"].map(_PARAMETERS).fillna(10_000) ** 0.5 / 40
    costs["device"] = "CPU, 1 thread"
    costs["manifest"] = "m1"
    noise = np.array([_number(run, "time") for run in costs["run"]])
    costs["train_seconds"] = base * (1 + 0.06 * noise)
    costs["seconds"] = costs["train_seconds"] + 1.1
    costs["images_per_second"] = 1293 * EPOCHS / costs["train_seconds"]
    costs["peak_memory_mb"] = 810 + 20 * noise
    return costs


def _ladder(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for who in runs[_WHO].drop_duplicates().to_dict("records"):
        if who["kind"] == "reference":
            continue
        stop = {"functional_reordered": {5, 7, 8}, "sequential_no_skip": {3, 6, 7, 8, 9}}.get(who["variant"], set())
        if who["kind"] == "lookalike" and not stop:
            stop = {3, 4, 5, 6, 7, 8}
        for rung, name in enumerate(_RUNGS, start=1):
            outcome = "fail" if rung in stop else "pass"
            if rung == 7 and 4 in stop:
                outcome = "not applicable"
            value = {4: 18_624.0 if outcome == "fail" else 0.0, 6: 0.73 if outcome == "fail" else 0.0, 9: 0.02}.get(
                rung
            )
            rows.append(
                {**who, "rung": rung, "name": name, "outcome": outcome, "value": value}
                | {"sentence": f"Rung {rung} ({name}): {outcome}."}
            )
    return pd.DataFrame(rows)


def _gradients(datasets: Sequence[str], seeds: Sequence[int]) -> pd.DataFrame:
    rows = []
    for architecture in ("residual_cnn", "deep_residual_mlp"):
        for variant in architectures()[architecture].variants:
            fade = 0.75 if variant.name == "sequential_no_skip" else 0.99
            for depth in (2, 8, 30):
                for seed in seeds[:3]:
                    for step in (0, 20):
                        for layer in range(depth + 2):
                            norm = fade ** (depth + 1 - layer) * np.exp(0.1 * _number(depth, seed, step, layer))
                            rows.append(
                                {
                                    "dataset": datasets[0],
                                    "architecture": architecture,
                                    "variant": variant.name,
                                    "kind": variant.kind,
                                    "depth": depth,
                                    "seed": seed,
                                    "step": step,
                                    "layer": f"dense_{layer}",
                                    "layer_index": layer,
                                    "gradient_norm": norm * (1 if step == 0 else 0.4),
                                    "update_norm": 0.05 * norm**0.2,
                                }
                            )
    return pd.DataFrame(rows)


def _api_costs(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for who in runs.loc[runs["kind"] != "suspect", _WHO].drop_duplicates().to_dict("records"):
        for quantity, mean in (("step_ms", 4.2), ("flops", 3.1e6), ("peak_memory_mb", 820.0), ("build_s", 0.06)):
            reference = who["kind"] == "reference"
            percent = 0.0 if reference or quantity == "flops" else 3 * _number(*who.values(), quantity)
            half = 0.0 if quantity == "flops" else 2.5
            rows.append(
                {**who, "quantity": quantity, "n": 7, "mean": mean * (1 + percent / 100)}
                | {"ci_low": mean * (1 + (percent - half) / 100), "ci_high": mean * (1 + (percent + half) / 100)}
                | {"difference_percent": percent, "difference_low": percent - half, "difference_high": percent + half}
                | {"verdict": "reference" if reference else "none" if abs(percent) <= half else "slower"}
            )
    return pd.DataFrame(rows)


def _determinism_costs(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for who in runs[["dataset", "architecture"]].drop_duplicates().to_dict("records"):
        percent = 4 * _number(*who.values(), "determinism")
        rows.append(
            {**who, "n": 7, "strict_ms": 4.2 * (1 + percent / 100), "seeded_ms": 4.2}
            | {"difference_percent": percent, "difference_low": percent - 3, "difference_high": percent + 3}
            | {"verdict": "more" if percent > 3 else "none"}
        )
    return pd.DataFrame(rows)


def _keras_count(variant: str, parameters: Any) -> float:
    """A subclassed model counts nothing before its first call, a deferred one refuses to count."""
    return {"subclass": 0.0, "sequential_deferred": np.nan}.get(variant, parameters)


def _parameters(runs: pd.DataFrame) -> pd.DataFrame:
    columns = ["parameters", "trainable_parameters", "non_trainable_parameters"]
    table = runs[[*_WHO, *columns]].drop_duplicates([*_WHO])
    reference = table[table["kind"] == "reference"].set_index(["dataset", "architecture"])["parameters"]
    table = table.assign(
        parameters_per_call=[
            int(row.parameters * (1.34 if "shared" in str(row.architecture) else 1)) for row in table.itertuples()
        ],
        keras_count=[_keras_count(str(row.variant), row.parameters) for row in table.itertuples()],
        difference_to_reference=[
            row.parameters - reference.get((row.dataset, row.architecture), row.parameters)
            for row in table.itertuples()
        ],
    )
    return table.reset_index(drop=True)


def _provenance(runs: pd.DataFrame) -> pd.DataFrame:
    row = {"manifest": "m1", "runs": len(runs), "tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.1"}
    row |= {"python": "3.11.7", "twinbench": "0.1.0", "os": "Debian GNU/Linux 12", "cpu": "AMD EPYC 7B13"}
    row |= {"instruction_sets": "avx2 avx512_bf16 fma", "gpu": "", "threads": 1, "git_dirty": False}
    row |= {"git_commit": _hash("commit")[:40], "configuration_digest": _hash("configuration")}
    return pd.DataFrame([row])


def write_tables(
    folder: Path,
    *,
    datasets: Sequence[str] = ("digits",),
    seeds: Sequence[int] = (1, 2, 3, 4, 5),
    extra: Sequence[tuple[str, str, str]] = (),
) -> Path:
    """Write all tables into `folder` and return it.

    Args:
        folder: made if need be.
        datasets: names.
        seeds: whole numbers.
        extra: further (architecture, variant, kind), such as one with a hostile name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runs = _runs(datasets, seeds, extra)
    comparisons = compare_variants(runs, margin=0.5, confidence=0.95)
    tables = {
        "runs": runs,
        "costs": _costs(runs),
        "history": _history(runs),
        "summary": summarise(runs, confidence=0.95),
        "parameters": _parameters(runs),
        "comparisons": comparisons,
        "noise_floor": noise_floor(runs, confidence=0.95),
        "agreement": agreement(
            runs.assign(predictions=[_predictions(run) for run in runs.to_dict("records")]), confidence=0.95
        ),
        "seeds_needed": seeds_needed(comparisons, confidence=0.95),
        "ladder": with_scores(_ladder(runs), comparisons),
        "suspects": suspects_table(runs, comparisons),
        "gradients": _gradients(datasets, seeds),
        "api_costs": _api_costs(runs),
        "determinism_costs": _determinism_costs(runs),
        "provenance": _provenance(runs),
    }
    tables["claims"] = decide_claims(tables)
    tables["claims"].loc[0, "because"] += f" {HOSTILE}"
    write_files({name: BY_NAME[name].frame(table) for name, table in tables.items()}, folder)
    return folder
