"""Results of inference may lie beside those of trainings: tests/results/samples.py makes them."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "results"))
