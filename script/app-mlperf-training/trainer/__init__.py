"""Trains until the target quality is reached."""
