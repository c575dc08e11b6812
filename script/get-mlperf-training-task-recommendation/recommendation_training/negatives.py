"""Items that a user did not see: drawn anew for training, fixed for evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recommendation_training.ratings import Feedback

if TYPE_CHECKING:
    import torch


class Unseen:
    """Draws items for users and draws again where a user saw one."""

    def __init__(self, feedback: Feedback, with_held_out: bool) -> None:
        import torch

        self.item_count = feedback.item_count
        keys = feedback.users * self.item_count + feedback.items
        if with_held_out:
            held = torch.arange(feedback.user_count) * self.item_count + feedback.held_out
            keys = torch.cat([keys, held])
        self._seen = keys.sort().values

    def seen(self, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """Whether each user saw each item; int64 (n,) each → bool (n,)."""
        import torch

        keys = users * self.item_count + items
        places = torch.searchsorted(self._seen, keys).clamp(max=len(self._seen) - 1)
        return self._seen[places] == keys

    def draw(self, users: torch.Tensor, draw: torch.Generator, tries: int = 100) -> torch.Tensor:
        """One item for each of ``users`` that this user did not see; one who saw nearly all may get a seen one."""
        import torch

        items = torch.randint(self.item_count, users.shape, generator=draw)
        for _ in range(tries):
            again = self.seen(users, items).nonzero().squeeze(1)
            if not len(again):
                break
            items[again] = torch.randint(self.item_count, again.shape, generator=draw)
        return items


def candidates(feedback: Feedback, count: int, seed: int = 0) -> torch.Tensor:
    """The held-out item of every user and ``count`` different ones that the user never saw; int64 (users, 1 + count).

    Users who left fewer than ``count`` items unseen are padded with the first of theirs. It does not depend on the
    seed of a training, so that all trainings are judged by the same lists.
    """
    import torch

    draw = torch.Generator().manual_seed(seed)
    rows = torch.empty(feedback.user_count, 1 + count, dtype=torch.int64)
    rows[:, 0] = feedback.held_out
    bounds = torch.searchsorted(feedback.users, torch.arange(feedback.user_count + 1))
    for user in range(feedback.user_count):
        free = torch.ones(feedback.item_count, dtype=torch.bool)
        free[feedback.items[bounds[user] : bounds[user + 1]]] = False
        free[feedback.held_out[user]] = False
        unseen = free.nonzero().squeeze(1)
        chosen = unseen[torch.randperm(len(unseen), generator=draw)[:count]]
        rows[user, 1 : 1 + len(chosen)] = chosen
        rows[user, 1 + len(chosen) :] = chosen[:1]
    return rows
