"""Networks of a person's own, as a configuration names them: a file with marks, or builders by their places."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator

from twinbench.config.paths import text_path
from twinbench.config.section import Section

Task = Literal["classify", "regress", "reconstruct"]
_PATTERN = re.compile(r"[A-Za-z0-9_.*?/-]+")
_NETWORK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


def is_file(entry: str) -> bool:
    """Whether an entry is the path of a file with marks, and no name or pattern."""
    return entry.endswith(".py")


def _pattern_or_file(value: str) -> str:
    if is_file(value):
        return text_path(value)
    if not _PATTERN.fullmatch(value):
        raise ValueError("may be made of letters, digits and _ - . / * ? only, or be the path of a .py file")
    return value


def place(value: str) -> str:
    """`file.py:function` or `package.module:function`."""
    file, colon, function = value.rpartition(":")
    module = not file.endswith(".py")
    if not colon or not function.isidentifier() or (module and not all(map(str.isidentifier, file.split(".")))):
        raise ValueError("must name a function, as file.py:function or package.module:function")
    return value if module else f"{text_path(file)}:{function}"


Place = Annotated[str, AfterValidator(place)]
Named = Annotated[str, AfterValidator(_pattern_or_file)]


class Network(Section):
    """One network of a person's own: two or more functions that build it, the first of which is the reference."""

    name: str = Field(description="name in tables and file names")
    reference: Place = Field(
        description="the function that builds what the others are compared with, as `file.py:function` or "
        "`package.module:function`; it takes nothing, `(input_shape)` or `(input_shape, classes)`, and returns a "
        "`keras.Model`"
    )
    variants: list[Place] = Field(min_length=1, description="the functions that build the others, in the same form")
    task: Task = Field(
        default="classify",
        description="what it is for: to tell classes apart, to predict numbers, or to restore its input",
    )

    score: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        description="a metric that the models are compiled with and that grows as they get better, times 100 "
        "(default: the accuracy, or the explained variance)",
    )

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not _NETWORK_NAME.fullmatch(name):
            raise ValueError(
                "must be made of at most 80 letters, digits, '_' and '-', and start with a letter or digit"
            )
        return name

    @field_validator("variants", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @property
    def places(self) -> tuple[str, ...]:
        """Every builder's place, the reference's first."""
        return (self.reference, *self.variants)


def _form(value: Any) -> str:
    return FORMS[1] if isinstance(value, Mapping | Network) else FORMS[0]


# The two forms of an entry, as they stand in the place of a mistake.
FORMS = ("<name>", "<network>")
Selected = Annotated[
    Annotated[Named, Tag(FORMS[0])] | Annotated[Network, Tag(FORMS[1])],
    Discriminator(_form),
]
