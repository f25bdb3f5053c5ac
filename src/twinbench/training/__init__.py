"""The training stage: jobs become one record per run.

`job` trains, and imports TensorFlow only when something is left to train; `store`, `record` and `identity` never do.
"""
