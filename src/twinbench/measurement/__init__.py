"""What is measured beside the scores: the ladder, gradients by depth (claim C5), the cost of each API (claim C7)."""
