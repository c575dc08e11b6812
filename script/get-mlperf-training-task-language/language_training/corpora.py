"""Plain text on disk: C4's lines of JSON, and Wikipedia as MLPerf's BERT reference leaves it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainer.errors import TrainingError


def c4_files(folder: Path, part: str) -> list[Path]:
    """The files of one part (train, validation) in order: ``c4-PART.NNNNN-of-MMMMM.json``, packed or not."""
    return _all_there(sorted(folder.glob(f"c4-{part}.*.json*")), folder / f"c4-{part}.00000-of-00001.json.gz")


def c4_documents(files: Sequence[Path]) -> Iterator[str]:
    """The ``text`` of each line. TrainingError of kind `data` names file and line that is not such JSON."""
    for path in files:
        number = 0
        try:
            for line in _lines(path):
                number += 1
                yield _text(line)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _damaged(path, number + 1, f"cut off or damaged ({error})") from error
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(path, number, f"no JSON object with a text ({type(error).__name__})") from error


def _lines(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from file


def _text(line: str) -> str:
    text = json.loads(line)["text"]
    if not isinstance(text, str):
        raise TypeError(type(text).__name__)
    return text


def wikipedia_files(folder: Path) -> list[Path]:
    """The parts for training, ``part-NNNNN-of-MMMMM``; TrainingError names the first that is missing."""
    files = _all_there(sorted(folder.glob("part-*-of-*")), folder / "part-00000-of-00500")
    total = files[0].name.rpartition("-of-")[2]
    names = {path.name for path in files}
    for number in range(int(total) if total.isdecimal() else 0):
        wanted = f"part-{number:05d}-of-{total}"
        if wanted not in names:
            raise TrainingError("data", f"{folder / wanted} is missing, one of {int(total)} parts", f"ls {folder}")
    return files


def wikipedia_documents(files: Sequence[Path]) -> Iterator[str]:
    """Articles: sentences are lines, a blank line ends an article. TrainingError names a file that is no text."""
    for path in files:
        try:
            articles = path.read_text(encoding="utf-8").split("\n\n")
        except FileNotFoundError as error:
            raise TrainingError("data", f"{path} is missing", f"ls {path.parent}") from error
        except UnicodeDecodeError as error:
            raise TrainingError("data", f"{path} is no UTF-8 text at byte {error.start}", "") from error
        yield from (article.strip() for article in articles if article.strip())


def _all_there(files: list[Path], example: Path) -> list[Path]:
    if not files:
        raise TrainingError("data", f"{example.parent} has no file like {example.name}", f"ls {example.parent}")
    return files


def _damaged(path: Path, line: int, cause: str) -> TrainingError:
    return TrainingError("data", f"{path}, line {line}: {cause}", "fetch it again, or cut that line")
