"""Number formats of the kernels that do a model's work, as a framework reports them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

# Parts of the names that frameworks give to kernels that multiply and add; everything else moves or rescales data.
_WORK = ("conv", "matmul", "gemm", "fullyconnected", "fully_connected", "attention", "lstm", "gru")


def computes(name: str) -> bool:
    """True for the kernels that count."""
    small = name.lower()
    return any(word in small for word in _WORK)


@dataclass(frozen=True)
class Kernels:
    """How many kernels ran in which format."""

    formats: Counter[str]

    @property
    def precision(self) -> str:
        """Format of most kernels; fp32 where a model has none that multiply."""
        return self.formats.most_common(1)[0][0] if self.formats else "fp32"

    def describe(self) -> str:
        """`52 int8 and 2 fp32 kernels`."""
        counts = [f"{count} {name}" for name, count in self.formats.most_common()]
        return f"{' and '.join(counts)} kernels" if counts else "no multiplying kernels"
