"""twinbench: are two ways to write the same Keras model the same, and do they score the same?"""

__version__ = "0.1.0"
