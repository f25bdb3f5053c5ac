"""What every group of keys of the configuration has in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Section(BaseModel):
    """A group of keys; unknown keys are refused and a value, once read, does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, value: Any, info: ValidationInfo) -> Any:
        """YAML reads on, off, yes and no as truth values, which would pass for the numbers 1 and 0."""
        if value is False and info.field_name == "determinism":
            return "off"
        if isinstance(value, bool) or (isinstance(value, list) and any(isinstance(entry, bool) for entry in value)):
            raise ValueError("must not be true or false (YAML takes on, off, yes and no for these: put it in quotes)")
        return value
