"""MLPerf inference harness: `Task` x `Backend` x `Scenario`, one process per loadgen run.

A task owns data and quality, a backend owns the model, a scenario owns loadgen's settings and the queueing.
Entry points: `python -m harness run CONFIG.json` and `harness.supervise.run(RunConfig) -> Outcome`.
"""
