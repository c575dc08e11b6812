"""The system's description as a submission has it: with what only the runs could tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from system_description.description import Description
from system_description.values import Origin, Value, Values

from mlperf_submission.errors import SubmissionError
from mlperf_submission.results import Result

_HINT = 'cmr "get mlperf sut description" --hw_name=NAME --submitter=NAME --division=open --category=edge'


def read(path: Path, round_version: str) -> Description:
    """The description in a file, with the origins in the file beside it.

    Raises:
        SubmissionError: for a file that is not there or is no description.
    """
    origins = path.with_name(f"{path.stem}.origins.json")
    try:
        text = path.read_text(encoding="utf-8")
        beside = origins.read_text(encoding="utf-8") if origins.is_file() else ""
        return Description.from_files(text, beside, round_version)
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read: {error.strerror}", _HINT) from None
    except (ValueError, AttributeError, TypeError) as error:
        raise SubmissionError(f"{path} is no description of a system: {error}", _HINT) from None


def of_runs(results: Sequence[Result]) -> Values:
    """Framework and versions, as the runs' records have them."""
    executed = [str(run.device.facts.get("executed") or "") for one in results for run in one.record.runs if run.device]
    versions = {name: text for one in results for name, text in one.record.versions.items()}
    stack = ", ".join(f"{name} {text}" for name, text in sorted(versions.items()))
    texts = {"framework": ", ".join(dict.fromkeys(filter(None, executed))), "other_software_stack": stack}
    return {key: Value(text, Origin.RUN, "result records") for key, text in texts.items() if text}
