"""Which of two results is better and is it more than noise; where a history changed, and because of what."""

from cm4bench_compare.bisection import Bisection, bisect
from cm4bench_compare.changes import ChangePoint, detect
from cm4bench_compare.deltadebug import ddmin
from cm4bench_compare.noise import Comparison, Noise, compare, learn
from cm4bench_compare.pareto import front, knee
from cm4bench_compare.words import sentence

__all__ = [
    "Bisection",
    "ChangePoint",
    "Comparison",
    "Noise",
    "bisect",
    "compare",
    "ddmin",
    "detect",
    "front",
    "knee",
    "learn",
    "sentence",
]
