"""The resolved configuration, the plan, and the functions that the rules ask."""

import functools
import json
import logging
import math
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from twinbench.architectures.places import unseen
from twinbench.config import parse_configuration
from twinbench.data.files import check_writable, write_text
from twinbench.errors import TwinbenchError
from twinbench.planning.estimate import Estimator
from twinbench.planning.feasible import check_feasible, folders
from twinbench.planning.notes import adopt, doubt, forget_stale
from twinbench.planning.plan import make_plan, selected_variants
from twinbench.planning.stages import code_of, dataset_key, settings_of, variant_digests, versions_of
from twinbench.planning.devices import device_type
from twinbench.report.catalogue import FIGURES

# Lines that cannot be logged (a full disk, a folder's name in another encoding) are no fault of the run.
logging.raiseExceptions = False

try:
    # Snakemake keeps its own files where it is started.
    check_writable(Path.cwd(), setting="--directory")
    CONFIGURATION = parse_configuration(
        config, origin="--config" if workflow.config_settings.config else "the configuration"
    )
    PLAN = make_plan(CONFIGURATION)
    if workflow.is_main_process:
        check_feasible(CONFIGURATION)
        for sentence in unseen(CONFIGURATION):
            print(f"twinbench: {sentence}", file=sys.stderr)
except TwinbenchError as mistake:
    refuse(mistake)

OUTPUT = CONFIGURATION.output
ENVIRONMENT = "../envs/twinbench.yml"
DATASETS = [dataset.name for dataset in CONFIGURATION.datasets]
NOTES = Path(".snakemake/metadata")
# All of it is recorded with each run; a change of what no key holds is no reason to train, and so is in no `params`.
RESOLVED = f"{OUTPUT}/logs/configuration.json"


include: "storage.smk"


if workflow.is_main_process and not PROVIDER:
    try:
        if doubt(OUTPUT, NOTES):
            print(
                f"twinbench: Snakemake's notes about {OUTPUT} (in .snakemake) are lost, or it was made elsewhere: it is "
                "made again, with the finished runs from the store.",
                file=sys.stderr,
            )
            # Of a dataset, its manifest tells what it was prepared from: a download is not repeated without need.
            for dataset in CONFIGURATION.datasets:
                forget_stale(Path(f"{OUTPUT}/data/{dataset.name}.json"), dataset_key(dataset))
    except TwinbenchError as mistake:
        refuse(mistake)


def check_folders():
    """Refuse to start where the results or the runs could not be written; note whose the results are, and made by what."""
    if PROVIDER:
        return
    try:
        for folder, setting in folders(CONFIGURATION):
            check_writable(folder, setting=setting)
        adopt(OUTPUT, NOTES)
        write_text(Path(RESOLVED), CONFIGURATION.model_dump_json(indent=2))
    except TwinbenchError as mistake:
        raise WorkflowError(str(mistake)) from None


JOB_FORMS = {(job.name.partition(".")[0], r"\.\w+" if "." in job.name else "") for job in PLAN.jobs}


wildcard_constraints:
    dataset="|".join(re.escape(name) for name in DATASETS),
    figure="|".join(entry.name for entry in FIGURES),
    look=r"[1-9]\d*",
    # By form, not by name: an alternation of thousands of names is slow to match.
    job="|".join(sorted({re.escape(name) + suffix for name, suffix in JOB_FORMS})),


def dataset_section(wildcards):
    """The dataset's section of the configuration."""
    return CONFIGURATION.dataset(wildcards.dataset).model_dump(mode="json")


def dataset_source(wildcards):
    """The file that a dataset is made from, where it is made from a file."""
    dataset = CONFIGURATION.dataset(wildcards.dataset)
    path = Path(dataset.source).expanduser()
    # A missing file was refused before; in a job of another machine it need not lie there.
    # It is read where Snakemake runs, and need not lie on a storage.
    return [local(str(path))] if dataset.kind == "npz" and path.is_file() else []


def key_of_dataset(wildcards):
    """All that determines the prepared dataset, the content of its file with it."""
    return dataset_key(CONFIGURATION.dataset(wildcards.dataset))


def runs_of_job(wildcards):
    """The runs of a job, each with its key: the same that the store looks up."""
    runs = PLAN.job(wildcards.dataset, wildcards.job).runs
    return [[run.architecture, run.variant, run.seed, PLAN.key(run)] for run in runs]


def this_device(wildcards):
    """The kind of device that is trained on here."""
    return device_type()


def stage(name):
    """A stage's name, the code that it runs and the versions of its libraries, looked up when a job of it is planned."""

    def code(wildcards):
        return code_of(name)

    def versions(wildcards):
        return versions_of(name)

    return {"stage": name, "code": code, "versions": versions}


def settings_of_ladder(wildcards):
    """The settings that the ladder reads."""
    return settings_of("ladder", CONFIGURATION, selected_variants(CONFIGURATION))


def settings_of_measurements(wildcards):
    """The settings that the measurements read."""
    return settings_of("measure", CONFIGURATION, selected_variants(CONFIGURATION))


def settings_of_looks(wildcards):
    """The settings that a look reads."""
    return settings_of("look", CONFIGURATION, selected_variants(CONFIGURATION))


def settings_of_tables(wildcards):
    """The settings that the tables read."""
    return settings_of("tables", CONFIGURATION, selected_variants(CONFIGURATION))


def plan_digest(wildcards):
    """All planned runs: their order, names, marks and keys."""
    return PLAN.digest


@functools.cache
def estimator():
    """Made when the first job is scheduled: it looks into the store."""
    return Estimator(CONFIGURATION)


def memory_of_job(wildcards, attempt):
    """MB with a margin of a quarter, and more at each attempt: the last may have been killed for want of it."""
    job = PLAN.job(wildcards.dataset, wildcards.job)
    return math.ceil(1.25 * attempt * estimator().job(job).memory_mb)


def minutes_of_job(wildcards, attempt):
    """Three times the estimate, since a job that is cut short costs more than one that ends early."""
    job = PLAN.job(wildcards.dataset, wildcards.job)
    return attempt * max(10, math.ceil(3 * estimator().job(job).seconds / 60))


def gpus_of_job(wildcards):
    """One card where this machine has any; a cluster's profile asks for its own with `set-resources`."""
    return 1 if device_type() == "gpu" else 0


def records_until(dataset, look):
    """The records that are there at a look, as far as the looks before it let their variants train on."""
    decisions = []
    for number in range(1, look):
        with checkpoints.look.get(dataset=dataset, look=number).output.decision.open() as file:
            decisions.append(json.load(file))
        if not decisions[-1]:
            break
    return [f"{OUTPUT}/runs/{job.dataset}/{job.name}.parquet" for job in PLAN.after(dataset, decisions)]


def records_of_look(wildcards):
    """The records that a look rests on."""
    return records_until(wildcards.dataset, int(wildcards.look))


def all_records(wildcards):
    """The records of every job of the plan; where seeds are added by looks, of those that turn out to be wanted."""
    return [path for dataset in DATASETS for path in records_until(dataset, len(CONFIGURATION.looks))]


def of_datasets(path):
    """A file of each dataset; not from a rule's output, which has a place on the storage where there is one."""
    return expand(f"{OUTPUT}/{path}", dataset=DATASETS)


def measured_variants(wildcards):
    """The code and the marks of the variants that are measured."""
    return variant_digests(selected_variants(CONFIGURATION))
