"""The data stage: every dataset of the configuration becomes one `.npz` file and a manifest."""

from twinbench.data.loading import LoadedDataset, load
from twinbench.data.manifest import Manifest, read_manifest
from twinbench.data.network import Limits
from twinbench.data.preparing import prepare
from twinbench.data.splits import split_validation

__all__ = ["Limits", "LoadedDataset", "Manifest", "load", "prepare", "read_manifest", "split_validation"]
