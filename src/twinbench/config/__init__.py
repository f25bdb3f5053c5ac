"""The configuration: its typed model, and reading it."""

from twinbench.config.model import Configuration, Dataset, Figures, Measurements, Statistics
from twinbench.config.reading import (
    check_configuration_file,
    parse_configuration,
    read_configuration,
    read_with_settings,
)
from twinbench.config.training import Training, TrainingRecipe, TrainingSection

__all__ = [
    "Configuration",
    "Dataset",
    "Figures",
    "Measurements",
    "Statistics",
    "Training",
    "TrainingRecipe",
    "TrainingSection",
    "check_configuration_file",
    "parse_configuration",
    "read_configuration",
    "read_with_settings",
]
