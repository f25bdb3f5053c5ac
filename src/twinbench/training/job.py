"""Train a job: the runs that are not in the store yet, each recorded as soon as it is done."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from twinbench.architectures.catalogue import find_variant
from twinbench.config import Configuration
from twinbench.data import load
from twinbench.data.manifest import read_manifest
from twinbench.durations import duration
from twinbench.errors import ResourceError, memory_ran_out
from twinbench.planning.agreeing import check_agreement
from twinbench.planning.devices import device_type, lease_card, visible_cards
from twinbench.planning.keys import Identity, identify
from twinbench.planning.plan import Run
from twinbench.store.record import Record
from twinbench.store.runs import RunStore
from twinbench.training.locks import Locks
from twinbench.training.provenance import describe_process

if TYPE_CHECKING:  # it imports TensorFlow
    from twinbench.training.variant import Result, VariantTrainer

logger = logging.getLogger(__name__)
# Between two looks at runs that other processes train.
_POLL_SECONDS = 2.0


def train_runs(runs: Sequence[Run], configuration: Configuration, npz: Path, store: RunStore) -> list[Record]:
    """Return the record of every run, training those that the store does not have.

    A record comes back under the run's names, whatever it was called when it was trained. TensorFlow is imported only
    if there is something to train.

    Args:
        runs: runs of one dataset; those of a variant are best kept together, since it is compiled once.
        configuration: the resolved configuration.
        npz: the prepared dataset, with its manifest beside it.
        store: where finished runs are looked up and kept.

    Raises:
        TwinbenchError: the dataset cannot be used, or not by these networks, the store cannot be written, or the
            memory ran out.
    """
    dataset = read_manifest(npz.with_suffix(".json"))
    check_agreement({run.definition for run in runs}, configuration.training, dataset)
    device = device_type()
    identities = {run: identify(run.definition, run.seed, configuration.training, dataset, device) for run in runs}
    records = {run: store.find(identity.key) for run, identity in identities.items()}
    missing = [run for run in runs if records[run] is None]
    logger.info("%d of %d runs are recorded, %d to train.", len(runs) - len(missing), len(runs), len(missing))
    if missing:
        with lease_card(visible_cards(), jobs_per_card=configuration.training.jobs_per_gpu):
            trained = _train(
                missing, identities=identities, configuration=configuration, npz=npz, store=store, device=device
            )
        records.update(trained)
    return [named(record, run) for run in runs if (record := records[run]) is not None]


def named(record: Record, run: Run) -> Record:
    """Return a record under the names of a run; they are no part of its key."""
    outcome = replace(
        record.outcome,
        dataset=run.dataset,
        architecture=run.architecture,
        variant=run.variant,
        kind=run.definition.kind,
    )
    return replace(record, outcome=outcome)


def _train(
    runs: Sequence[Run],
    *,
    identities: dict[Run, Identity],
    configuration: Configuration,
    npz: Path,
    store: RunStore,
    device: str,
) -> dict[Run, Record]:
    from twinbench.training.runtime import start_tensorflow

    start_tensorflow(configuration.training)
    from twinbench.training.feed import DatasetTensors
    from twinbench.training.variant import VariantTrainer

    tensors = DatasetTensors(load(npz))
    provenance = describe_process(configuration, device)
    progress = _Progress(total=len(runs))
    locks = Locks(store.folder / "locks")
    records: dict[Run, Record] = {}
    waiting = list(runs)
    while waiting:
        for (architecture, name), group in groupby(waiting, key=lambda run: (run.architecture, run.variant)):
            trainer = VariantTrainer(find_variant(architecture, name), tensors, configuration.training, device)
            for run in group:
                identity = identities[run]
                lock = locks.take(identity.key)
                if lock is None:
                    progress.wait(run, locks.owner(identity.key))
                    continue
                with lock:
                    progress.begin(run, trainer.epochs)
                    record = store.find(identity.key)  # its owner may have finished just before we locked it
                    if record is None:
                        result = _trained(trainer, run, store, identity.key, progress)
                        # Which follows from the others.
                        content = identity.content | {"compilation": trainer.compilation}
                        outcome, history, cost = result.outcome, result.history, result.cost
                        records[run] = Record(
                            identity.key, content, outcome, history, cost, provenance, result.predictions
                        )
                        store.add(records[run])
                        progress.end(records[run])
                    else:
                        records[run] = record
                        progress.skip()
            trainer.release()
        held = [run for run in waiting if run not in records]
        if len(held) == len(waiting):
            time.sleep(_POLL_SECONDS)
        waiting = held
    return records


def _trained(trainer: "VariantTrainer", run: Run, store: RunStore, key: str, progress: "_Progress") -> "Result":
    """Train a run; a lack of memory is told as such, and records nothing."""

    def after_epoch(epoch: int, loss: float) -> None:
        progress.epoch(epoch, loss)
        store.keep_checkpoint(key)

    try:
        return trainer.train(run.seed, store.checkpoint_path(key), after_epoch)
    except Exception as error:
        if not memory_ran_out(error):
            raise
        raise ResourceError(
            f"The memory ran out while {run.name} was trained: end other programs, let fewer jobs run at a time "
            "(--cores), or leave this variant out. What is finished is kept; start snakemake again to go on."
        ) from error


@dataclass
class _Progress:
    """Tells a person how far the job is, one line an epoch."""

    total: int
    epochs: int = 0
    done: int = 0
    current: str = ""
    started: float = field(default_factory=time.perf_counter)
    waited_for: set[Run] = field(default_factory=set)

    def wait(self, run: Run, owner: str) -> None:
        if run not in self.waited_for:
            self.waited_for.add(run)
            logger.info("%s is being trained by %s: waiting for its record.", run.name, owner)

    def skip(self) -> None:
        self.done += 1
        logger.info("run %d of %d  %s  was recorded by another process", self.done, self.total, self.current)

    def begin(self, run: Run, epochs: int) -> None:
        self.current, self.epochs = run.name, epochs

    def epoch(self, epoch: int, loss: float) -> None:
        share = (self.done + epoch / self.epochs) / self.total
        left = (time.perf_counter() - self.started) * (1 - share) / share
        logger.info(
            "run %d of %d  %s  epoch %d of %d  loss %.4f  %s left",
            self.done + 1,
            self.total,
            self.current,
            epoch,
            self.epochs,
            loss,
            duration(left),
        )

    def end(self, record: Record) -> None:
        self.done += 1
        outcome = record.outcome
        if outcome.status == "failed":
            logger.warning("run %d of %d  %s  FAILED: %s", self.done, self.total, self.current, outcome.reason)
        else:
            logger.info(
                "run %d of %d  %s  test %s %.2f %%  in %s",
                self.done,
                self.total,
                self.current,
                outcome.score_name,
                outcome.test_score,
                duration(record.cost.seconds),
            )
