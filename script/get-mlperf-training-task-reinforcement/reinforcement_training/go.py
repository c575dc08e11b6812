"""The game of Go as a network sees it; its rules are OpenSpiel's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainer.errors import TrainingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SMALLEST, LARGEST = 3, 19
PLANES = 4


def game(board: int, komi: float) -> Any:
    """OpenSpiel's Go; TrainingError of kind `config` for a board that it does not have."""
    import pyspiel

    if not SMALLEST <= board <= LARGEST:
        raise TrainingError("config", f"a board of {board} is not between {SMALLEST} and {LARGEST}", "")
    return pyspiel.load_game("go", {"board_size": board, "komi": komi})


def planes(state: Any, board: int) -> NDArray[np.float32]:
    """What the player to move sees, float32 (PLANES, board, board): own stones, the other's, 1 for White, ones.

    The ones tell a convolution where the border is.
    """
    import numpy as np

    black, white = np.asarray(state.observation_tensor(), np.float32).reshape(-1, board, board)[:2]
    mover = state.current_player()
    own, other = (white, black) if mover else (black, white)
    return np.stack([own, other, np.full_like(own, mover), np.ones_like(own)])
