"""The configuration: its typed model, and reading it."""

from twinbench.config.model import Configuration, Dataset, Figures, Measurements, Statistics, Training
from twinbench.config.reading import parse_configuration, read_configuration

__all__ = [
    "Configuration",
    "Dataset",
    "Figures",
    "Measurements",
    "Statistics",
    "Training",
    "parse_configuration",
    "read_configuration",
]
