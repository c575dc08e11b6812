"""Engines: models that generate tokens, many requests at a time."""
