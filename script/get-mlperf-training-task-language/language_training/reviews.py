"""Labelled sentences on disk: SST-2's tab-separated files, and IMDB's folders of one review per file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.errors import TrainingError

IMDB_PARTS = ("train", "test")


@dataclass(frozen=True)
class Reviews:
    """Texts with their labels, 1 for positive and 0 for negative."""

    texts: list[str]
    labels: list[int]

    def __len__(self) -> int:
        return len(self.texts)


def read_sst2(path: Path) -> Reviews:
    """``train.tsv`` or ``dev.tsv`` of GLUE: a header, then sentence and label.

    Raises:
        TrainingError: kind `data`, naming file and line, for a file that is missing, empty, cut or of another layout.
    """
    header, *lines = _read(path).splitlines() or [""]
    if header.split("\t")[:2] != ["sentence", "label"]:
        raise TrainingError("data", f"{path}: the first line is {header[:40]!r}, not sentence and label", "")
    texts, labels = [], []
    for number, line in enumerate(lines, 2):
        text, _, label = line.rpartition("\t")
        if label not in ("0", "1") or not text.strip():
            raise TrainingError("data", f"{path}, line {number}: {line[:40]!r} is not sentence, tab, 0 or 1", "")
        texts.append(text.strip())
        labels.append(int(label))
    return _some(Reviews(texts, labels), path)


def read_imdb(folder: Path, part: str) -> Reviews:
    """``aclImdb/PART/{neg,pos}/*.txt``, in order of their names; ``folder`` is aclImdb or holds it.

    Raises:
        TrainingError: kind `data`, naming the folder or file that is missing, empty or no text.
    """
    root = folder / "aclImdb" if (folder / "aclImdb").is_dir() else folder
    texts, labels = [], []
    for label, name in enumerate(("neg", "pos")):
        place = root / part / name
        files = sorted(place.glob("*.txt"))
        if not files:
            raise TrainingError("data", f"{place} has no reviews (*.txt)", f"ls {root}")
        for path in files:
            text = _read(path).replace("<br />", " ").strip()
            if not text:
                raise TrainingError("data", f"{path} is empty", "fetch the reviews again")
            texts.append(text)
            labels.append(label)
    return Reviews(texts, labels)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise TrainingError("data", f"{path} is missing", f"ls {path.parent}") from error
    except UnicodeDecodeError as error:
        raise TrainingError("data", f"{path} is no UTF-8 text at byte {error.start}", "fetch it again") from error


def _some(reviews: Reviews, path: Path) -> Reviews:
    if not reviews.texts:
        raise TrainingError("data", f"{path} has no sentences", "fetch it again")
    return reviews
