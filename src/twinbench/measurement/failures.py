"""What one variant raises is its own failure, and stops no other."""

from collections.abc import Iterator
from contextlib import contextmanager

from twinbench.architectures.catalogue import Variant
from twinbench.architectures.contract import check_is_model, check_outputs
from twinbench.architectures.keras_settings import settings_kept
from twinbench.architectures.recipe import recipe_of
from twinbench.data import LoadedDataset
from twinbench.errors import ANYTHING_RAISED, first_cause, raise_if_memory_ran_out


class Failures(dict[Variant, str]):
    """Why variants could not be measured, by variant; those that are not in it could."""

    @contextmanager
    def of(self, variant: Variant, what: str = "It cannot be measured") -> Iterator[None]:
        """Note whatever is raised inside as the failure of one variant, and go on.

        Raises:
            ResourceError: the memory ran out.
        """
        try:
            yield
        except ANYTHING_RAISED as error:
            raise_if_memory_ran_out(error)
            self[variant] = f"{what}: {first_cause(error)}"

    def check(self, variants: list[Variant], data: LoadedDataset) -> list[Variant]:
        """Build variants of one architecture and run them on images, and return those that can be measured.

        Without a reference there is nothing to hold the others against: then none can.
        """
        for variant in variants:
            with self.of(variant, "It cannot be built"), settings_kept():
                recipe = recipe_of(variant)
                model = recipe.build(data.input_shape, data.classes)
                check_is_model(model)
                recipe.after_build(model)
                check_outputs(model, recipe.task, data.given("train", slice(2)), data.classes)
        return self.without_reference_none(variants)

    def without_reference_none(self, variants: list[Variant]) -> list[Variant]:
        """Return the variants that have not failed; none, and a failure for each, where their reference has."""
        for reference in [variant for variant in variants if variant.kind == "reference" and variant in self]:
            for variant in variants:
                self.setdefault(variant, f"The reference fails. {self[reference]}")
        return [variant for variant in variants if variant not in self]
