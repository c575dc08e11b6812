"""Minigo: learn Go from nothing but its rules.

MLPerf plays on 19 x 19 (9 x 9 in v0.5) until half of the games against a target checkpoint are won. Small default:
3 x 3, until 70 % of the games against a player without a plan are won, by the network alone, without search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reinforcement_training.go import game
from reinforcement_training.matches import at_random, best_of, won
from reinforcement_training.replay import Replay
from reinforcement_training.selfplay import Moves, Play, play
from trainer.errors import TrainingError
from trainer.recipe import Recipe
from trainer.task import Columns, Metric, Setup, Split, Task

if TYPE_CHECKING:
    import torch

EPOCH_SAMPLES = 1280
OPENING = 2


class Minigo(Task):
    """An epoch is some games against itself and then `epoch_samples` positions of the last `capacity` ones.

    Options: `board`, `komi`, `channels`, `blocks`, `simulations`, `games` (per epoch), `capacity`, `matches`, and
    `opponent`: "random", or a file of the data folder with the weights of a network of the same size.
    """

    metric = Metric("win_rate", target=0.7)
    recipe = Recipe(
        batch_size=64,
        epochs=60,
        epoch_samples=EPOCH_SAMPLES,
        eval_batch_size=200,
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=1e-4,
    )

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._how = Play(self._number("board", 3), self._number("simulations", 24), self._number("games", 12))
        self._replay = Replay(self._number("capacity", 4000))

    @cached_property
    def game(self) -> Any:
        """OpenSpiel's game."""
        return game(self._how.board, float(self.setup.option("komi", "0.5")))

    def splits(self) -> tuple[Split, Split]:
        """Positions of own games; and the numbers of the games that are played for the evaluation."""
        import torch

        _ = self._opponent  # a damaged target should be told of now, not after the first epoch
        return self._replay, Columns(numbers=torch.arange(self._number("matches", 200)))

    def model(self) -> torch.nn.Module:
        from reinforcement_training.network import PolicyValue

        return PolicyValue(self._how.board, self._number("channels", 32), self._number("blocks", 1))

    def before_epoch(self, model: torch.nn.Module, epoch: int) -> None:
        """Play. All ranks play the same games, so that what they hold is the same and a resumed run goes on with it."""
        import numpy as np

        _as_on_rank_0(model)
        random = np.random.RandomState([self.setup.seed, epoch])
        self._replay.add(play(model, self.game, self._how, random))

    def loss(self, model: torch.nn.Module, batch: Any) -> torch.Tensor:
        """Cross entropy to the search's shares of visits, and squared error to the game's outcome."""
        from torch.nn.functional import cross_entropy, mse_loss

        policy, value = model(batch["planes"])
        return cross_entropy(policy, batch["policy"]) + mse_loss(value, batch["value"])

    def judge(self, model: torch.nn.Module, batch: Any) -> Any:
        """Which of the numbered games were won."""
        own, opening = best_of(model, self._how.board), 0 if self._opponent is None else OPENING
        opponent = at_random if self._opponent is None else best_of(self._opponent, self._how.board)
        return won(self.game, own, opponent, batch["numbers"].tolist(), opening)

    def quality(self, evidence: Sequence[Any]) -> float:
        """The share of games won."""
        games: list[bool] = [one for part in evidence for one in part]
        return sum(games) / len(games)

    def hyperparameters(self, recipe: Recipe) -> dict[str, object]:
        return {
            "train_batch_size": recipe.batch_size,
            "lr_boundaries": list(recipe.decay_at),
            "lr_rates": [recipe.learning_rate * recipe.decay_factor**k for k in range(len(recipe.decay_at) + 1)],
            "actual_selfplay_games_per_generation": self._how.games,
            "min_selfplay_games_per_generation": self._how.games,
        }

    def state(self) -> dict[str, Any]:
        """The positions held."""
        moves = self._replay.moves
        return {} if moves is None else {"planes": moves.planes, "policy": moves.policy, "value": moves.value}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._replay.moves = Moves(**state) if state else None

    @cached_property
    def _opponent(self) -> torch.nn.Module | None:
        """The network to win against, or None for the player without a plan."""
        import pickle

        import torch

        name = self.setup.option("opponent", "random")
        if name == "random":
            return None
        path = (self.setup.data or _no_folder()) / name
        network = self.model()
        try:
            network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except (OSError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            cause = f"{path} holds no network of {self._how.board} x {self._how.board}: {reason}"
            raise TrainingError("data", cause, f"ls -l {path}") from error
        return network.eval()

    def _number(self, name: str, default: int) -> int:
        text = self.setup.option(name, str(default))
        if not text.isdecimal() or not int(text):
            raise TrainingError("config", f"option {name}={text} is no positive whole number", f"{name}={default}")
        return int(text)


def _as_on_rank_0(model: torch.nn.Module) -> None:
    """Means and deviations of the batch normalisation are of each rank's own batches; games need the same ones."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        for buffer in model.buffers():
            distributed.broadcast(buffer, 0)


def _no_folder() -> Any:
    raise TrainingError("data", "the target checkpoint has no folder", "--minigo_path=FOLDER")
