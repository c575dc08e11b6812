"""Go: what a network sees, how it plays against itself, what a match is, and that a cut training goes on as it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from tests.training.front_door import trained as trained_by_cmr

from trainer.config import TrainConfig
from trainer.engine import Engine
from trainer.errors import TrainingError
from trainer.listener import Silence
from trainer.loop import Training
from trainer.registry import load_task
from trainer.task import Setup

pytest.importorskip("pyspiel")

from reinforcement_training.go import game, planes
from reinforcement_training.matches import at_random, best_of, won
from reinforcement_training.minigo import Minigo
from reinforcement_training.network import PolicyValue
from reinforcement_training.replay import Replay, turned
from reinforcement_training.selfplay import Moves, Play, play

SMALL = {"simulations": "4", "games": "1", "capacity": "200", "matches": "20", "channels": "4"}

torch.set_num_threads(1)


@pytest.fixture
def network() -> PolicyValue:
    torch.manual_seed(0)
    return PolicyValue(3, 4, 1).eval()


def training(folder: Path, **changes: Any) -> Training:
    fields: dict[str, Any] = {
        "task": "reinforcement_training.minigo:Minigo",
        "benchmark": "minigo",
        "tier": "synthetic",
        "output_dir": str(folder),
        "options": SMALL,
        "recipe": {"epochs": 3, "epoch_samples": 128},
        "target": 2.0,
        "threads": 1,
        "log": False,
        "checkpoint_every_s": 0.0,
    }
    config = TrainConfig(**(fields | changes))
    folder.mkdir(parents=True, exist_ok=True)
    return Training(load_task(config), config, Engine(config), Silence(), folder)


class TestPlanes:
    def test_the_mover_sees_its_own_stones_first(self) -> None:
        state = game(3, 0.5).new_initial_state()
        state.apply_action(4)  # Black, in the middle
        own, other, white, ones = planes(state, 3)
        assert (own.sum(), other[1, 1], other.sum()) == (0, 1, 1)
        assert (white == 1).all() and (ones == 1).all()
        state.apply_action(0)
        own, other, white, _ = planes(state, 3)
        assert (own[1, 1], own.sum(), other.sum()) == (1, 1, 1)
        assert (white == 0).all()

    @pytest.mark.parametrize("board", [2, 20])
    def test_other_boards_are_refused(self, board: int) -> None:
        with pytest.raises(TrainingError, match=f"a board of {board}"):
            game(board, 0.5)


class TestSelfPlay:
    def test_outcomes_are_the_movers_and_shares_add_up(self, network: PolicyValue) -> None:
        moves = play(network, game(3, 0.5), Play(3, 8, 1), np.random.RandomState(0))
        black = moves.planes[:, 2, 0, 0] == 0
        assert set(moves.value.tolist()) == {-1.0, 1.0}
        assert len(set(moves.value[black].tolist())) == 1
        torch.testing.assert_close(moves.policy.sum(1), torch.ones(len(moves.policy)))
        assert moves.planes.shape[1:] == (4, 3, 3) and moves.policy.shape[1] == 10

    def test_no_share_is_for_a_point_that_is_taken(self, network: PolicyValue) -> None:
        moves = play(network, game(3, 0.5), Play(3, 8, 2), np.random.RandomState(1))
        taken = moves.planes[:, :2].sum(1).flatten(1) > 0
        assert (moves.policy[:, :-1][taken] == 0).all()

    def test_one_seed_gives_one_game(self, network: PolicyValue) -> None:
        first, second = (play(network, game(3, 0.5), Play(3, 4, 1), np.random.RandomState(5)) for _ in range(2))
        assert torch.equal(first.planes, second.planes) and torch.equal(first.policy, second.policy)


class TestReplay:
    @staticmethod
    def moves(count: int, value: float) -> Moves:
        return Moves(torch.rand(count, 4, 3, 3), torch.rand(count, 10), torch.full((count,), value))

    def test_the_oldest_are_forgotten(self) -> None:
        replay = Replay(5)
        replay.add(self.moves(4, 1.0))
        replay.add(self.moves(3, -1.0))
        assert replay.moves is not None
        assert replay.moves.value.tolist() == [1.0, 1.0, -1.0, -1.0, -1.0]
        assert len(replay) == 5

    def test_a_batch_is_turned_as_a_whole(self) -> None:
        replay = Replay(4)
        replay.add(self.moves(4, 1.0))
        assert replay.moves is not None
        seen = set()
        for seed in range(60):
            batch = replay.batch([0, 1], torch.Generator().manual_seed(seed))
            ways = [
                way
                for way in range(8)
                if torch.equal(turned(replay.moves.planes[:2], way), batch["planes"])
                and torch.equal(
                    turned(replay.moves.policy[:2, :9].reshape(2, 3, 3), way).flatten(1), batch["policy"][:, :9]
                )
            ]
            assert len(ways) == 1
            seen.update(ways)
            assert torch.equal(batch["policy"][:, 9], replay.moves.policy[:2, 9])
        assert seen == set(range(8))

    def test_places_not_yet_filled_stand_for_filled_ones(self) -> None:
        replay = Replay(100)
        replay.add(self.moves(3, 1.0))
        assert replay.batch([99, 50], torch.Generator())["value"].tolist() == [1.0, 1.0]


class TestMatches:
    def test_a_player_with_the_rules_in_its_head_beats_chance(self) -> None:
        def first_to_the_middle(states: Sequence[Any], randoms: Sequence[np.random.RandomState]) -> list[int]:
            return [
                4 if 4 in state.legal_actions() else at_random([state], [random])[0]
                for state, random in zip(states, randoms)
            ]

        wins = won(game(3, 0.5), first_to_the_middle, at_random, range(100))
        assert sum(wins[::2]) > 25  # with Black, which has the first move

    def test_a_game_is_fixed_by_its_number_whoever_plays_beside_it(self, network: PolicyValue) -> None:
        own, go = best_of(network, 3), game(3, 0.5)
        together = won(go, own, at_random, list(range(12)))
        apart = [won(go, own, at_random, [number])[0] for number in range(12)]
        assert together == apart

    def test_colours_alternate(self) -> None:
        seats: list[int] = []

        def spy(states: Sequence[Any], randoms: Sequence[np.random.RandomState]) -> list[int]:
            seats.extend(state.current_player() for state in states)
            return at_random(states, randoms)

        won(game(3, 0.5), spy, at_random, [0])
        assert set(seats) == {0}
        seats.clear()
        won(game(3, 0.5), spy, at_random, [1])
        assert set(seats) == {1}

    def test_an_opening_makes_games_of_fixed_players_differ(self, network: PolicyValue) -> None:
        own = best_of(network, 3)
        assert len(set(won(game(3, 0.5), own, own, range(0, 40, 2)))) == 1
        assert len(set(won(game(3, 0.5), own, own, range(0, 40, 2), opening=2))) == 2


class TestMinigo:
    def test_a_cut_training_ends_with_the_same_weights(self, tmp_path: Path) -> None:
        whole = training(tmp_path / "whole")
        whole.run()
        cut = training(tmp_path / "cut")
        before = cut.task.before_epoch

        def stop_at_two(model: torch.nn.Module, epoch: int) -> None:
            if epoch == 2:
                raise KeyboardInterrupt
            before(model, epoch)

        cut.task.before_epoch = stop_at_two  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            cut.run()
        config = msgspec.structs.replace(cut.config, resume=True)
        resumed = Training(load_task(config), config, Engine(config), Silence(), tmp_path / "cut")
        assert resumed.position.epoch == 2
        resumed.run()
        expected = whole.bare.state_dict()
        assert all(torch.equal(expected[name], value) for name, value in resumed.bare.state_dict().items())

    def test_it_can_be_judged_by_a_target_network(self, tmp_path: Path) -> None:
        torch.save(PolicyValue(3, 4, 1).state_dict(), tmp_path / "target.pt")
        task = Minigo(Setup(data=tmp_path, options=SMALL | {"opponent": "target.pt"}))
        evidence = task.judge(task.model().eval(), {"numbers": torch.arange(20)})
        assert 0 <= task.quality([evidence[:7], evidence[7:]]) == sum(evidence) / 20

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (None, r"target\.pt"),
            (b"", r"target\.pt"),
            (b"PK rubbish", r"target\.pt"),
            ("5x5", r"target\.pt holds no network"),
        ],
    )
    def test_a_damaged_target_network_is_named(self, tmp_path: Path, content: bytes | str | None, words: str) -> None:
        path = tmp_path / "target.pt"
        if content == "5x5":
            torch.save(PolicyValue(5, 4, 1).state_dict(), path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        task = Minigo(Setup(data=tmp_path, options=SMALL | {"opponent": "target.pt"}))
        with pytest.raises(TrainingError, match=words) as caught:
            task.splits()
        assert caught.value.kind == "data"

    @pytest.mark.parametrize("text", ["0", "-3", "many"])
    def test_sizes_must_be_numbers(self, text: str) -> None:
        with pytest.raises(TrainingError, match=f"option games={text}"):
            Minigo(Setup(options={"games": text}))

    @pytest.mark.slow
    @pytest.mark.timeout(1800)
    def test_the_small_default_reaches_its_target(self, tmp_path: Path) -> None:
        found = trained_by_cmr(tmp_path, "_minigo")
        assert found.reached and found.quality is not None and found.quality.value >= 0.7
        assert found.tier == "synthetic"
