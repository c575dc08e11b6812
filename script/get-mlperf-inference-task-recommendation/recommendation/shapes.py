"""Sizes of DLRM-v2 (DLRM-DCNv2), as in the reference implementation."""

from __future__ import annotations

from dataclasses import dataclass

# fmt: off
_ROWS = (
    40_000_000, 39_060, 17_295, 7_424, 20_265, 3, 7_122, 1_543, 63, 40_000_000, 3_067_956, 405_282, 10, 2_209,
    11_938, 155, 4, 976, 14, 40_000_000, 40_000_000, 40_000_000, 590_152, 12_973, 108, 36,
)
# fmt: on
SYNTHETIC_ROWS = 100_000  # the synthetic data have no larger ids


@dataclass(frozen=True)
class DlrmShape:
    """Table `rows` and ids per pair (`hots`) of each categorical feature; widths of the layers."""

    rows: tuple[int, ...] = _ROWS
    hots: tuple[int, ...] = (3, 2, 1, 2, 6, 1, 1, 1, 1, 7, 3, 8, 1, 6, 9, 5, 1, 1, 1, 12, 100, 27, 10, 3, 1, 1)
    dense: int = 13
    embedding: int = 128
    bottom: tuple[int, ...] = (512, 256, 128)
    top: tuple[int, ...] = (1024, 1024, 512, 256, 1)
    cross_layers: int = 3
    cross_rank: int = 512

    @property
    def crossed(self) -> int:
        """Width of the vector that the cross network works on."""
        return (len(self.rows) + 1) * self.embedding

    def cut(self, rows: int) -> DlrmShape:
        """The same with no table of more than `rows` rows."""
        small = tuple(min(count, rows) for count in self.rows)
        return DlrmShape(
            small, self.hots, self.dense, self.embedding, self.bottom, self.top, self.cross_layers, self.cross_rank
        )
