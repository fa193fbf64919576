"""Measurements: how fast, how small, how much at once. What they find is reported, never a pass or a fail."""
