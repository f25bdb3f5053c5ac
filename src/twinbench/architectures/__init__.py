"""The architectures under test, one file each, with all their variants, and the suspects.

`catalogue` lists them without importing Keras; `recipe` imports one and says how it is trained.
"""

from twinbench.architectures.catalogue import Architecture, Variant, architectures, find_variant, suspects

__all__ = ["Architecture", "Variant", "architectures", "find_variant", "suspects"]
