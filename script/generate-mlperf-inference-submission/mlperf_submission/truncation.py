"""Truncation: a submission holds the two ends of an accuracy log, and the hash of the whole in accuracy.txt.

The result is the same, byte for byte, as that of upstream's tools/submission/truncate_accuracy_log.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlperf_submission import files
from mlperf_submission.errors import SubmissionError

LOG, SCORE = "mlperf_log_accuracy.json", "accuracy.txt"
END_BYTES = 4096  # kept of each end
GAP = b"\n\n...\n\n"
LARGEST_BYTES = 10 * 1024  # a log below it, with its hash in accuracy.txt, is done
DIVISIONS = ("closed", "open", "network")
# Tests that have an accuracy log but no score of it: their accuracy.txt holds the hash alone.
UNSCORED_TESTS = ("TEST07", "TEST09")
TESTS = ("TEST01", *UNSCORED_TESTS)

_HASH = re.compile(rb"^hash=(\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Truncated:
    """What was done to a folder; ``digest`` is of the whole log. Not ``changed``: it was truncated already."""

    folder: Path
    digest: str
    changed: bool


def truncate(folder: Path, keep: Path | None = None, *, scored: bool = True) -> Truncated:
    """Truncate the accuracy log in ``folder``. A second time changes nothing.

    Args:
        folder: holds mlperf_log_accuracy.json and accuracy.txt.
        keep: where the whole log is kept; None where its owner has it anyway. A kept log is never overwritten.
        scored: accuracy.txt must be there; otherwise it is made.

    Raises:
        SubmissionError: for a missing file, a hash of another log, a kept log that is another one.
        OSError: where something cannot be read or written. accuracy.txt and the log each are old or new, never half.
    """
    log, score = folder / LOG, folder / SCORE
    if not log.is_file():
        raise SubmissionError(f"{log} is missing", "an accuracy run makes it: --mode=accuracy")
    if scored and not score.is_file():
        raise SubmissionError(f"{score} is missing", f'cmr "process mlperf accuracy" --result_dir={folder}')
    said = _said_hash(score)
    if said and log.stat().st_size < LARGEST_BYTES:
        return Truncated(folder, said, changed=False)
    digest = files.sha256(log)
    if said and said != digest:
        raise SubmissionError(
            f"{score} holds the hash of another log than {log.name}",
            f'score the log again: cmr "process mlperf accuracy" --result_dir={folder}',
        )
    _keep(log, digest, keep)
    if not said:
        _add_hash(score, digest, scored)
    _cut(log)
    return Truncated(folder, digest, changed=True)


def copy_truncated(source: Path, target: Path, *, scored: bool = True) -> str:
    """Put what `truncate` would leave of ``source`` into the folder ``target``; returns the hash of the whole log.

    The whole log is read once and copied never, however large it is.

    Raises:
        SubmissionError: for a missing file, or one that was truncated already.
        OSError: where something cannot be read or written.
    """
    log, score = source / LOG, source / SCORE
    for path in (log, score) if scored else (log,):
        if not path.is_file():
            raise SubmissionError(f"{path} is missing", f'cmr "process mlperf accuracy" --result_dir={source}')
    if _said_hash(score):
        raise SubmissionError(f"{score} has a hash: the log beside it may be truncated", "run the accuracy run again")
    digest = files.sha256(log)
    (target / LOG).write_bytes(_ends(log))
    line = f"hash={digest}\n".encode()
    (target / SCORE).write_bytes(score.read_bytes() + b"\n" + line if scored or score.is_file() else line)
    return digest


def _said_hash(score: Path) -> str:
    found = _HASH.search(score.read_bytes()) if score.is_file() else None
    return found[1].decode() if found else ""


def _add_hash(score: Path, digest: str, scored: bool) -> None:
    line = f"hash={digest}\n".encode()
    files.write(score, score.read_bytes() + b"\n" + line if scored else line)


def _keep(log: Path, digest: str, keep: Path | None) -> None:
    if keep is None:
        return
    if keep.is_file():
        if files.sha256(keep) != digest:
            raise SubmissionError(f"{keep} is already there, and is another log", "give another --backup folder")
        return
    keep.parent.mkdir(parents=True, exist_ok=True)
    files.write(keep, log.read_bytes())


def _cut(log: Path) -> None:
    if log.stat().st_size >= END_BYTES:
        files.write(log, _ends(log))


def _ends(log: Path) -> bytes:
    """Both ends of a log; a log shorter than one end stays as it is."""
    size = log.stat().st_size
    with log.open("rb") as file:
        start = file.read(END_BYTES)
        if size < END_BYTES:
            return start
        file.seek(size - END_BYTES)
        return start + GAP + file.read(END_BYTES)


@dataclass(frozen=True)
class LogFolder:
    """A folder of a tree that has an accuracy log to truncate."""

    path: Path
    scored: bool = True


def log_folders(root: Path, submitter: str = "") -> Iterator[LogFolder]:
    """The accuracy logs of a tree, of either layout; of all submitters where none is named."""
    owner = submitter or "*"
    for division in DIVISIONS:
        for area in ("results", "compliance"):
            for path in sorted((root / division).glob(f"{owner}/{area}/*/*/*/accuracy")):
                yield LogFolder(path)
            for test in TESTS:
                for path in sorted((root / division).glob(f"{owner}/{area}/*/*/*/{test}/accuracy")):
                    yield LogFolder(path, scored=_is_scored(area, test, path))


def _is_scored(area: str, test: str, path: Path) -> bool:
    """Up to v5.1 a compliance log needs no score; where there is none, accuracy.txt is made for the hash."""
    return test not in UNSCORED_TESTS and (area == "results" or (path / SCORE).is_file())


def truncate_tree(root: Path, keep: Path, submitter: str = "") -> list[Truncated]:
    """Truncate all accuracy logs of a tree; the whole logs go to the same paths under ``keep``.

    Raises:
        SubmissionError: naming every folder that stands in the way, before anything is changed; or where there is
            nothing to truncate, or ``keep`` lies in the tree.
    """
    if root.resolve() in (keep.resolve(), *keep.resolve().parents):
        raise SubmissionError(f"the whole logs must not be kept inside the tree: {keep}", "--backup=FOLDER elsewhere")
    folders = [one for one in log_folders(root, submitter) if (one.path / LOG).is_file()]
    if not folders:
        whose = f" of {submitter}" if submitter else ""
        raise SubmissionError(f"{root} has no accuracy log{whose}", "--submission_dir=FOLDER holds open/ or closed/")
    lacking = [one.path / SCORE for one in folders if one.scored and not (one.path / SCORE).is_file()]
    if lacking:
        cause = "these files are missing:\n" + "\n".join(f"  {path}" for path in lacking)
        raise SubmissionError(cause, f'cmr "process mlperf accuracy" --result_dir={lacking[0].parent}')
    return [truncate(one.path, keep / one.path.relative_to(root) / LOG, scored=one.scored) for one in folders]
