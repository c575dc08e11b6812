"""The last positions that were played, as a training set that changes from epoch to epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reinforcement_training.selfplay import Moves

if TYPE_CHECKING:
    import torch


class Replay:
    """At most ``capacity`` positions. Its length is always the capacity: an empty place stands for a filled one."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self.moves: Moves | None = None

    def __len__(self) -> int:
        return self._capacity

    def add(self, new: Moves) -> None:
        """Append positions, and forget the oldest ones beyond the capacity."""
        import torch

        old = self.moves
        if old is not None:
            new = Moves(*(torch.cat(pair) for pair in zip(_columns(old), _columns(new), strict=True)))
        self.moves = Moves(*(column[-self._capacity :].contiguous() for column in _columns(new)))

    def batch(self, indices: Sequence[int], draw: torch.Generator) -> dict[str, torch.Tensor]:
        """Positions, all turned or mirrored in one of the eight ways that leave Go as it is."""
        import torch

        if self.moves is None:
            raise RuntimeError("no game was played yet")
        rows = torch.as_tensor(indices) % len(self.moves.value)
        way = int(torch.randint(8, (1,), generator=draw))
        board = self.moves.planes.shape[-1]
        policy = self.moves.policy[rows]
        points = turned(policy[:, :-1].reshape(-1, board, board), way).flatten(1)
        return {
            "planes": turned(self.moves.planes[rows], way),
            "policy": torch.cat([points, policy[:, -1:]], dim=1),
            "value": self.moves.value[rows],
        }


def turned(boards: torch.Tensor, way: int) -> torch.Tensor:
    """Boards in the last two dimensions, turned ``way % 4`` times and mirrored from 4 on."""
    import torch

    found = torch.rot90(boards, way % 4, (-2, -1))
    return found.flip(-1).contiguous() if way >= 4 else found.contiguous()


def _columns(moves: Moves) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return moves.planes, moves.policy, moves.value
