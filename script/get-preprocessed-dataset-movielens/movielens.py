"""Reading MovieLens 100k as RecBole writes it: tab-separated files whose first line names the columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "ml-100k"
LIKED = 4.0  # stars from which on a rating counts as a click
_NO_YEAR = 1990


@dataclass(frozen=True)
class Pairs:
    """One row per rating, in file order.

    Attributes:
        dense: float32 (n, 3 + genres): age, year of the film and time of the rating, each about -1 … 1, then genres.
        sparse: int32 (n, 4): user, film, occupation, sex.
        labels: int32 (n, 1): 1 where the film got four stars or more.
        rows: how many values each sparse column can take.
    """

    dense: Any
    sparse: Any
    labels: Any
    rows: tuple[int, ...]


def read_pairs(folder: Path) -> Pairs:
    """All ratings. Raises OSError, or ValueError naming the file that is not as expected."""
    import numpy as np

    users = {row[0]: row for row in _lines(folder / f"{NAME}.user", 5)}
    films = {row[0]: row for row in _lines(folder / f"{NAME}.item", 4)}
    ratings = list(_lines(folder / f"{NAME}.inter", 4))
    if not ratings:
        raise ValueError(f"{folder / NAME}.inter has no rating")
    occupations = _numbers(row[3] for row in users.values())
    genres = _numbers(genre for row in films.values() for genre in row[3].split())
    try:
        dense = [[*_scaled(users[user], films[film], time)] for user, film, _, time in ratings]
        marked = np.zeros((len(ratings), len(genres)), np.float32)
        for number, (_, film, _, _) in enumerate(ratings):
            marked[number, [genres[genre] for genre in films[film][3].split()]] = 1
        sparse = [
            [int(user), int(film), occupations[users[user][3]], int(users[user][2] == "M")]
            for user, film, *_ in ratings
        ]
        labels = [[float(stars) >= LIKED] for _, _, stars, _ in ratings]
    except (KeyError, ValueError) as error:
        raise ValueError(f"{folder}: a rating names {error}, which the other files do not know") from error
    people, titles = (1 + max(row[column] for row in sparse) for column in (0, 1))
    return Pairs(
        np.concatenate([np.array(dense, np.float32), marked], axis=1),
        np.array(sparse, np.int32),
        np.array(labels, np.int32),
        (people, titles, len(occupations), 2),
    )


def _lines(path: Path, columns: int) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows, None)
        for number, row in enumerate(rows, start=2):
            if len(row) < columns:
                raise ValueError(f"{path}:{number} has {len(row)} columns, {columns} are expected")
            yield row


def _scaled(user: list[str], film: list[str], time: str) -> tuple[float, float, float]:
    year = int(film[2]) if film[2].isdecimal() else _NO_YEAR
    return int(user[1]) / 50 - 1, (year - 1985) / 15, (float(time) - 8.8e8) / 1e7


def _numbers(values: Iterator[str] | Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for value in values:
        found.setdefault(value, len(found))
    return found
