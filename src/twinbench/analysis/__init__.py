"""From records to tables: pure functions on pandas tables, without TensorFlow.

`summary`, `comparisons`, `noise_floor`, `agreement` and `seeds_needed` hold the statistics (the seed is the replication
unit); `intervals`, `paired_tests` and `power` are the array functions under them. `ladder`, `suspects` and `claims`
read these tables and say what they mean.
"""
