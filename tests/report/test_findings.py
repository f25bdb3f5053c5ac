"""The page of findings in the documentation, from kept results."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from tests.report.synthetic import write_tables

from twinbench.report.findings import Kept, findings, with_answer
from twinbench.report.kept import digest
from twinbench.report.known_scores import known_scores
from twinbench.report.tables import Tables

_ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = _ROOT / "results" / "reference"
_MACHINE = """\
dataset,architecture,change,seeds,epochs,batch_size,identical,shift,drift,largest,images,seed_std,seed_gap
mnist,mlp,2 threads instead of 1,10,5,32,10,0.0,0.0,0.0,0.0,0.1,0.12
mnist,mlp,bfloat16 instead of float32,10,5,32,0,-0.02,0.07,0.2,1.1,0.1,0.12
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    write_tables(folder, datasets=("mnist",), seeds=(1, 2, 3))
    write_tables(folder / "digits")
    (folder / "machine.csv").write_text(_MACHINE)
    return folder


def section(page: str, title: str) -> str:
    return page.split(f"## {title}", 1)[1].split("\n## ", 1)[0]


def test_every_verdict_and_every_suspect_stands_on_the_page_for_both_datasets(kept: Path) -> None:
    page = findings(Kept.read(kept))
    claims = [pd.read_csv(folder / "claims.csv") for folder in (kept, kept / "digits")]
    rows = section(page, "Verdicts on the claims").splitlines()
    for (claim, statement, first), second in zip(
        claims[0][["claim", "statement", "verdict"]].itertuples(index=False), claims[1]["verdict"], strict=True
    ):
        row = next(line for line in rows if line.startswith(f"| {claim} "))
        assert [cell.strip() for cell in row.split("|")[2:5]] == [statement, first, second]
    suspects = pd.read_csv(kept / "suspects.csv")
    for suspect in suspects.loc[suspects["cause"] != "none.identical", "suspect"]:
        assert f"| `{suspect}` " in section(page, "What costs points")
    assert len(page.splitlines()) < 150


def test_the_answer_comes_first_and_in_it_what_the_other_results_add(kept: Path) -> None:
    opening = findings(Kept.read(kept)).split("\n## ")[0]
    assert "It isn't the API" in opening
    assert "of 9 claims have the same verdict as on MNIST" in opening
    assert "by up to 0.07 points under the same seed (bfloat16 instead of float32" in opening
    assert "another seed by 0.12" in opening


def test_a_verdict_that_differs_between_the_datasets_is_told_with_what_decides_it(kept: Path, tmp_path: Path) -> None:
    write_tables(tmp_path, datasets=("mnist",), seeds=(1, 2, 3))
    write_tables(tmp_path / "digits")
    claims = pd.read_csv(tmp_path / "claims.csv")
    claims.loc[claims["claim"] == "C8", "verdict"] = "inconclusive"
    claims.to_csv(tmp_path / "claims.csv", index=False)
    told = section(findings(Kept.read(tmp_path)), "Where MNIST and digits agree, and where not")
    assert "**C8** is inconclusive on MNIST and supported on digits. On digits: shared_autoencoder" in told


@pytest.mark.parametrize(
    ("low", "high", "why"), [(-90.0, 20.0, "too few to tell"), (-31.0, 1.0, "the interval excludes -70.94")]
)
def test_a_suspect_that_is_shown_on_one_dataset_only_comes_with_the_reason(
    low: float, high: float, why: str, tmp_path: Path
) -> None:
    write_tables(tmp_path, datasets=("mnist",), seeds=(1, 2, 3))
    write_tables(tmp_path / "digits")
    suspects = pd.read_csv(tmp_path / "suspects.csv")
    chosen = suspects["suspect"] == "logits_as_probabilities"
    suspects.loc[chosen, ["verdict", "mean_difference", "ci_low", "ci_high"]] = ["undecided", -0.5, low, high]
    suspects.to_csv(tmp_path / "suspects.csv", index=False)
    told = section(findings(Kept.read(tmp_path)), "Where MNIST and digits agree, and where not")
    line = next(line for line in told.splitlines() if line.startswith("- `logits_as_probabilities` has an effect on"))
    assert why in line


@pytest.mark.parametrize(
    ("scores", "place"),
    [((98.2, 98.4, 98.5), "inside both"), ((97.05, 97.35, 97.65), "1.05 above the mean, inside that of one more run"),
     ((97.0, 97.1, 97.2), "1.30 above the mean, outside")],
)  # fmt: skip
def test_a_published_score_is_held_against_the_seeds(scores: tuple[float, ...], place: str, tmp_path: Path) -> None:
    extra = [("mnist_mlp", "functional", "reference"), ("mnist_mlp", "sequential", "twin")]
    tables = Tables.read(write_tables(tmp_path, datasets=("mnist",), seeds=(1, 2, 3), extra=extra))
    from twinbench.analysis.summary import summarise

    runs = tables.frames["runs"]
    runs.loc[runs["architecture"] == "mnist_mlp", "test_score"] = [*scores, *scores]
    summary = summarise(runs, confidence=0.95)
    told = known_scores(Tables(tmp_path, {**tables.frames, "summary": summary}))
    row = next(line for line in told[2].splitlines() if line.startswith("| mnist_mlp"))
    assert row.split("|")[2].strip() == "98.40"
    assert row.split("|")[-2].strip() == place
    assert "20 epochs" in told[3]


def test_the_page_and_the_pictures_are_those_of_the_kept_results() -> None:
    kept = Kept.read(_REFERENCE)
    page = findings(kept)
    assert (_ROOT / "docs" / "findings.md").read_text(encoding="utf-8") == page, "run make findings"
    assert len(page.splitlines()) < 150
    read_me = (_ROOT / "README.md").read_text(encoding="utf-8")
    assert read_me == with_answer(read_me, kept), "run make findings"
    images = _ROOT / "docs" / "images"
    pictures = [images / "suspects.png", *images.glob("report-*.png")]
    assert len(pictures) == 5
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.info.get("tables") == digest(kept.main.folder), f"{path.name} is older: make findings"
