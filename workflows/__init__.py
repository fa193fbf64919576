"""Durable shells around the machine: they wait, and carry out what it asks."""
