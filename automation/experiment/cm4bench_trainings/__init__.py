"""Results of trainings and their readers: tables, statistics over seeds, reports in HTML, Markdown, CSV and Excel.

They read what the training harness leaves in a run's folder (result.json, curve.jsonl, monitor.csv) and nothing else.
"""

from cm4bench_trainings.folder import Found, find
from cm4bench_trainings.record import SCHEMA, Training, TrainingError

__all__ = ["SCHEMA", "Found", "Training", "TrainingError", "find"]
