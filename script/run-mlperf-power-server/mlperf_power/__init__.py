"""Measured power of MLPerf runs: server, client, PTDaemon's protocol, the figure, and the checks on what was recorded.

Needs nothing but Python 3.10, so that the host beside the analyzer needs nothing else either. docs/power.md is the
guide; the protocols and the layout of the files are those of github.com/mlcommons/power-dev.
"""

from mlperf_power.checks import Finding, Severity, check
from mlperf_power.errors import PowerError
from mlperf_power.figure import PowerFigure, metric

__all__ = ["Finding", "PowerError", "PowerFigure", "Severity", "check", "metric"]
