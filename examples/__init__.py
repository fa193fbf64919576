"""Journeys to run and copy."""
