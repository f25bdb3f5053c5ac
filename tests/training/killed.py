"""A process that trains a job in children that can be killed: started once, so that TensorFlow is imported once.

It reads a line for each child to start (`train`), prints the child's process id and, when it has ended, its status.
"""

import os
import sys
from pathlib import Path

import keras  # noqa: F401 # imported before the children are forked, and not used: its context begins in the child
import tensorflow as tf  # noqa: F401

from twinbench.config import parse_configuration
from twinbench.planning.plan import make_plan
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs

npz, store, configuration = Path(sys.argv[1]), RunStore(Path(sys.argv[2])), parse_configuration(eval(sys.argv[3]))  # noqa: S307
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        train_runs(make_plan(configuration).runs, configuration, npz, store)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
