"""Scores of mlperf_log_accuracy.json, one module per task."""
