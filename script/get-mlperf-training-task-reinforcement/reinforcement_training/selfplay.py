"""Games of a network against itself, each move chosen by Monte Carlo tree search (OpenSpiel's, with PUCT)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reinforcement_training.go import planes

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

EXPLORATION = 1.5  # PUCT's constant
NOISE_SHARE, NOISE_SHAPE = 0.25, 1.0  # Dirichlet noise at the root


@dataclass(frozen=True)
class Play:
    """How games are played: points a side, positions looked at per move, games per epoch."""

    board: int
    simulations: int
    games: int


@dataclass(frozen=True)
class Moves:
    """Positions with what the search found.

    Attributes:
        planes: float32 (n, planes, board, board); policy: float32 (n, moves), shares of visits;
        value: float32 (n,), how the game ended for the mover: -1, 0 or 1.
    """

    planes: torch.Tensor
    policy: torch.Tensor
    value: torch.Tensor


class Judgement:
    """OpenSpiel's evaluator: the network's opinion of a position, asked once per position and network."""

    def __init__(self, model: torch.nn.Module, board: int) -> None:
        self._model, self._board = model, board
        self._device = next(model.parameters()).device
        self._known: dict[bytes, tuple[NDArray[np.float64], float]] = {}

    def evaluate(self, state: Any) -> list[float]:
        """The expected outcome for Black and for White."""
        value = self._opinion(state)[1]
        return [-value, value] if state.current_player() else [value, -value]

    def prior(self, state: Any) -> list[tuple[int, float]]:
        """Legal moves and how probable each is."""
        import numpy as np

        legal = state.legal_actions()
        scores = self._opinion(state)[0][legal]
        shares = np.exp(scores - scores.max())
        return list(zip(legal, (shares / shares.sum()).tolist(), strict=True))

    def _opinion(self, state: Any) -> tuple[NDArray[np.float64], float]:
        import torch

        seen = planes(state, self._board)
        key = seen.tobytes()
        if key not in self._known:
            with torch.no_grad():
                policy, value = self._model(torch.from_numpy(seen)[None].to(self._device))
            self._known[key] = policy[0].double().cpu().numpy(), float(value[0])
        return self._known[key]


def play(model: torch.nn.Module, game: Any, how: Play, random: np.random.RandomState) -> Moves:
    """All positions of ``how.games`` games; the same random state and network give the same games."""
    import numpy as np
    import torch
    from open_spiel.python.algorithms import mcts

    was_training = model.training
    model.eval()
    searcher = mcts.MCTSBot(
        game,
        EXPLORATION,
        how.simulations,
        Judgement(model, how.board),
        solve=False,
        random_state=random,
        child_selection_fn=mcts.SearchNode.puct_value,
        dirichlet_noise=(NOISE_SHARE, NOISE_SHAPE),
    )
    rows = [row for _ in range(how.games) for row in _one_game(searcher, game, how.board, random)]
    model.train(was_training)
    seen, policy, value = (np.stack(column) for column in zip(*rows, strict=True))
    return Moves(torch.from_numpy(seen), torch.from_numpy(policy), torch.from_numpy(value))


def _one_game(searcher: Any, game: Any, board: int, random: np.random.RandomState) -> list[tuple[Any, Any, Any]]:
    import numpy as np

    state, rows, movers = game.new_initial_state(), [], []
    while not state.is_terminal():
        visits = np.zeros(game.num_distinct_actions())
        for child in searcher.mcts_search(state).children:
            visits[child.action] = child.explore_count
        policy = visits / visits.sum()
        rows.append((planes(state, board), policy.astype(np.float32)))
        movers.append(state.current_player())
        state.apply_action(int(random.choice(len(policy), p=policy)))
    ends = state.returns()
    return [(*row, np.float32(np.sign(ends[mover]))) for row, mover in zip(rows, movers, strict=True)]
