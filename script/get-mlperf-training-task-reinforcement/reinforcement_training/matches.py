"""Games between a network and an opponent, many side by side, so that a network is asked once per move of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from reinforcement_training.go import planes

if TYPE_CHECKING:
    import numpy as np
    import torch


class Player(Protocol):
    """Chooses a legal move in each of several positions. ``randoms`` holds the generator of each game."""

    def __call__(self, states: Sequence[Any], randoms: Sequence[np.random.RandomState]) -> list[int]:
        """One move per state."""
        ...


def at_random(states: Sequence[Any], randoms: Sequence[np.random.RandomState]) -> list[int]:
    """A player that takes any legal move."""
    return [int(random.choice(state.legal_actions())) for state, random in zip(states, randoms, strict=True)]


def best_of(model: torch.nn.Module, board: int) -> Player:
    """A player that takes the move which the network scores highest, without any search."""

    def choose(states: Sequence[Any], randoms: Sequence[np.random.RandomState]) -> list[int]:
        import numpy as np
        import torch

        seen = torch.from_numpy(np.stack([planes(state, board) for state in states]))
        with torch.no_grad():
            scores = model(seen.to(next(model.parameters()).device))[0].float().cpu()
        legal = [state.legal_actions() for state in states]
        return [moves[int(row[moves].argmax())] for row, moves in zip(scores, legal, strict=True)]

    return choose


def won(game: Any, own: Player, opponent: Player, numbers: Sequence[int], opening: int = 0) -> list[bool]:
    """Whether ``own`` won each game. It has Black in games of even numbers; a number fixes all that is random in it.

    The first ``opening`` moves are random: two players without chance would else play one game over and over.
    """
    import numpy as np

    states = [game.new_initial_state() for _ in numbers]
    randoms = [np.random.RandomState(number) for number in numbers]
    moves = 0
    while open_games := [k for k, state in enumerate(states) if not state.is_terminal()]:
        seats = {k: (states[k].current_player() == numbers[k] % 2) for k in open_games}
        for player, turn in ((own, True), (opponent, False)):
            chosen = [k for k in open_games if seats[k] is turn]
            ask = player if moves >= opening else at_random
            answers = ask([states[k] for k in chosen], [randoms[k] for k in chosen]) if chosen else []
            for k, move in zip(chosen, answers, strict=True):
                states[k].apply_action(move)
        moves += 1
    return [state.returns()[number % 2] > 0 for state, number in zip(states, numbers, strict=True)]
