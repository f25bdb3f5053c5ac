"""How fast the engine is, beside plain `model.fit`, PyTorch and JAX: `make bench`."""
