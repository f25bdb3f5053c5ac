"""The ladder of sameness: is one Keras model the same as another, and on which rung do they part?

Nothing here knows an architecture of the benchmark: a model is traced into a canonical graph (`trace`,
`canonical`), two graphs are matched (`alignment`), weights are carried from one to the other along the
match (`transfer`), and the pair is probed as functions (`probes`). `evidence.gather` says what the probes
show, and `rungs` reads the rungs of the ladder from it.
"""
