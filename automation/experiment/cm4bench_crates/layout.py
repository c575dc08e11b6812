"""Names inside a crate. ``results/`` is a results folder as any other: `cm show experiment --results_dir=…/results`."""

from __future__ import annotations

METADATA = "ro-crate-metadata.json"
RESULTS = "results"
REPEATS = "repeats"
LOCK = "lock.json"
REQUEST = "request.json"
FACTS = "facts.json"
SBOM = "sbom.spdx.json"
CROISSANT = "croissant.json"
REPORT = "report.html"
README = "README.md"
