"""What is measured beside the scores: gradients by depth (claim C5) and the cost of each API (claim C7).

Imports TensorFlow; sits beside `audit`, after `training`.
"""
