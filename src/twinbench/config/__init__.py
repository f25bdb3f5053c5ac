"""The configuration: its typed model, and reading it."""

from twinbench.config.model import Configuration, Dataset, Figures, Measurements, Statistics, Training
from twinbench.config.reading import (
    check_configuration_file,
    parse_configuration,
    read_configuration,
    read_with_settings,
)

__all__ = [
    "Configuration",
    "Dataset",
    "Figures",
    "Measurements",
    "Statistics",
    "Training",
    "check_configuration_file",
    "parse_configuration",
    "read_configuration",
    "read_with_settings",
]
