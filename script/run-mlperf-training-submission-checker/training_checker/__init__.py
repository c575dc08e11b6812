"""Checks training logs and submissions with mlperf-logging, and says in words what stands against them."""
