"""Finished runs on the disk: what a record holds, how it is sealed, and where it lies."""
