"""Processes: wiring only."""
