"""The training harness: one task, trained until it reaches its target quality, logged as the rules ask.

It knows no CM. A `TrainConfig` goes in, a `TrainResult` (result.json), a `:::MLLOG` file and curves come out.
"""
