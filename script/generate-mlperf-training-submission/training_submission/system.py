"""The system's description with the 33 fields of training, from that of inference and from the runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlperf_submission.errors import SubmissionError
from training_checker.systems import COUNTS, FIELDS, STATUSES

from training_submission.order import Order
from training_submission.runs import Run

_HINT = 'cmr "get mlperf sut description" --hw_name=NAME --submitter=NAME --division=open --category=datacenter'
_FRAMEWORK = "torch"
_NOT_STACK = ("python", _FRAMEWORK)


def describe(order: Order, runs: Iterable[Run]) -> dict[str, str]:
    """The fields of systems/<name>.json, as far as they are known; the others are left out.

    What the description says goes before what the runs tell, but for the submitter, division and status of the order.

    Raises:
        SubmissionError: for a file that cannot be read, or is no description.
    """
    said = {key: str(value) for key, value in _read(order.description).items() if value is not None}
    known = {**_of_runs(list(runs)), **{key: text for key, text in said.items() if text}}
    known |= {"division": order.division, "status": _status(order.status or said.get("status", ""))}
    if order.submitter:
        known["submitter"] = order.submitter
    # a text that may be empty was left empty
    return {field: known.get(field, said.get(field, "")) for field in FIELDS if field in known or field in said}


def with_placeholders(fields: Mapping[str, str]) -> dict[str, str]:
    """For demonstrations: what is missing says that it is."""
    missing = {field: "1" if field in COUNTS else "not given" for field in FIELDS}
    return {field: fields.get(field) or missing[field] for field in FIELDS}


def _status(word: str) -> str:
    return STATUSES.get(word.lower(), word)


def _read(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read: {error.strerror}", _HINT) from None
    except ValueError as error:
        raise SubmissionError(f"{path} is no description of a system: {error}", _HINT) from None
    if not isinstance(content, dict):
        raise SubmissionError(f"{path} is no description of a system: it must hold keys and values", _HINT)
    return content


def _of_runs(runs: list[Run]) -> dict[str, str]:
    """Framework, versions, and what the kernel counts; the runs' host is the system."""
    software = {name: text for run in runs for name, text in run.record.software.items()}
    host = runs[0].record.host if runs else {}
    stack = [f"Python {software['python']}"] if "python" in software else []
    stack += [f"{name} {text}" for name, text in sorted(software.items()) if name not in _NOT_STACK]
    found = {
        "framework": f"PyTorch {software[_FRAMEWORK]}" if _FRAMEWORK in software else "",
        "other_software_stack": ", ".join(stack),
        "host_processor_vcpu_count": str(host.get("cpu_cores") or ""),
        "host_processor_model_name": str(host.get("cpu_model") or ""),
        "operating_system": str(host.get("os") or ""),
    }
    return {key: text for key, text in found.items() if text}
