"""Backends: load a model, warm up, infer a batch, say what executed where."""
