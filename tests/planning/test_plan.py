"""The plan: which runs a configuration asks for, and how they are grouped into jobs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbench.architectures import architectures, suspects
from twinbench.config import parse_configuration
from twinbench.errors import ConfigurationError
from twinbench.planning.plan import make_plan, selected_variants


def plan(**content):
    return make_plan(parse_configuration(content))


def test_the_default_plan_holds_every_variant_and_suspect_under_every_seed() -> None:
    runs = plan(seeds=[0, 1]).runs
    everything = [*(v for a in architectures().values() if a.default for v in a.variants), *suspects()]
    assert {(run.architecture, run.variant, run.seed) for run in runs} == {
        (v.architecture, v.name, seed) for v in everything for seed in (0, 1)
    }
    assert len(set(runs)) == len(runs)


@settings(deadline=None, max_examples=25)
@given(size=st.one_of(st.sampled_from(["architecture", "variant"]), st.integers(1, 60)))
def test_any_job_size_gives_the_same_runs_in_the_same_order(size) -> None:
    content = {"seeds": 3, "datasets": ["digits", "mnist"]}
    made = plan(**content, training={"job_size": size})
    assert made.runs == plan(**content).runs
    names = [(job.dataset, job.name) for job in made.jobs]
    assert len(set(names)) == len(names)
    assert all({run.dataset for run in job.runs} == {job.dataset} for job in made.jobs)
    assert all(made.job(job.dataset, job.name) == job for job in made.jobs)
    if isinstance(size, int):
        assert max(len(job.runs) for job in made.jobs) <= size


def test_the_reference_is_added_to_a_chosen_variant() -> None:
    runs = plan(architectures=["mlp/sequential"], suspects=[], seeds=1).runs
    assert [run.variant for run in runs] == ["functional", "sequential"]


def test_the_reference_of_the_suspects_is_added_to_chosen_suspects() -> None:
    runs = plan(architectures=["mlp"], suspects=["frozen_*"], seeds=1).runs
    assert [run.variant for run in runs if run.architecture == "plain_cnn"] == ["functional", "frozen_layers"]


def test_a_pattern_selects_variants_across_architectures() -> None:
    chosen = selected_variants(parse_configuration({"architectures": ["*/subclass"], "suspects": []}))
    assert {variant.name for variant in chosen} == {"functional", "subclass"}
    assert len({variant.architecture for variant in chosen}) > 3


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["mnist_cnn"], {"mnist_cnn"}),
        (["mnist_cnn/sequential", "mlp"], {"mnist_cnn", "mlp"}),
        (["mnist_*"], {"mnist_mlp", "mnist_cnn", "mnist_convnet"}),
        (["*_cnn"], {"branching_cnn", "plain_cnn", "residual_cnn"}),
        (["*", "mnist_mlp"], {"mnist_mlp", *(name for name, one in architectures().items() if one.default)}),
    ],
    # A set has no order, and the processes that run the tests must find the same names.
    ids=["a name", "names", "a pattern of its own", "a pattern that others match", "all and a name"],
)
def test_a_network_outside_the_default_benchmark_is_selected_by_name_or_by_a_pattern_of_its_own(
    patterns, names
) -> None:
    chosen = selected_variants(parse_configuration({"architectures": patterns, "suspects": []}))
    assert {variant.architecture for variant in chosen} == names


def test_a_list_of_seeds_is_trained_as_it_stands() -> None:
    assert [r.seed for r in plan(architectures=["mlp/functional"], suspects=[], seeds=[7, 3]).runs] == [7, 3]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"architectures": ["plane_cnn"]}, ["architectures[0]", "plane_cnn", "did you mean 'plain_cnn'?"]),
        ({"architectures": ["mlp", "mlp/sequentail"]}, ["architectures[1]", "did you mean 'mlp/sequential'?"]),
        ({"suspects": ["frozen"]}, ["suspects[0]", "frozen_layers"]),
    ],
)
def test_a_pattern_that_names_nothing_is_named_with_the_nearest_name(content, words) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(**content)
    assert all(word in str(caught.value) for word in words)


def test_no_job_of_that_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        plan(seeds=1).job("digits", "nothing_like_it")


def test_seeds_that_are_added_by_looks_are_jobs_of_their_own_for_each_variant_and_look() -> None:
    settle = plan(architectures=["mlp", "plain_cnn/sequential"], suspects=[], seeds="settle")
    assert settle.runs == plan(architectures=["mlp", "plain_cnn/sequential"], suspects=[], seeds=80).runs
    first = settle.after("digits", [])
    assert {run.seed for job in first for run in job.runs} == {1, 2, 3, 4, 5}
    going = [["mlp", "functional"], ["mlp", "subclass"]]
    second = settle.after("digits", [going])
    assert [job.name for job in second if job not in first] == ["mlp.functional_look2", "mlp.subclass_look2"]
    assert settle.after("digits", [going, []]) == second
    for size in (2, "architecture"):
        other = plan(architectures=["mlp"], suspects=[], seeds={"first": 3, "most": 10}, training={"job_size": size})
        assert [(run.variant, run.seed) for run in other.runs[:10]] == [("functional", seed) for seed in range(1, 11)]
        assert max(len(job.runs) for job in other.jobs) == (2 if size == 2 else 4)
        assert len({job.name for job in other.jobs}) == len(other.jobs)
