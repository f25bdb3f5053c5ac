"""What is wrong with one model, without another to compare it with: `twinbench check`.

The causes that a comparison knows and that need no partner are looked for in the model, its compilation and its feed;
and two questions are answered by training for a while: why `fit` and `evaluate` differ, and why a score does not
repeat.
"""
