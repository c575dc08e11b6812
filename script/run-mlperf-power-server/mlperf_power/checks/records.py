"""Rules about the two records: whose code measured, do both sides tell the same, is what they hashed still there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlperf_power.checks.evidence import Evidence, Side
from mlperf_power.checks.finding import Finding
from mlperf_power.record import hash_folder

REQUIRED = (
    "power/client.log",
    "power/ptd_logs.txt",
    "power/server.log",
    "ranging/mlperf_log_detail.txt",
    "ranging/mlperf_log_summary.txt",
    "ranging/spl.txt",
    "run_1/mlperf_log_detail.txt",
    "run_1/mlperf_log_summary.txt",
    "run_1/spl.txt",
)
_AGAIN = "measure again, and pack what the client wrote without changing it"
_ROLE = re.compile(r"mlcommons/power (client|server) v(\d+)$")


def sources(evidence: Evidence) -> Iterator[Finding]:
    """Both sides ran the state of power-dev that the round accepts."""
    for role, side in (("client", evidence.client), ("server", evidence.server)):
        if side.sources not in evidence.facts.sources:
            yield Finding(
                f"{role}-sources",
                "error",
                str(side.path),
                f"the {role} was {_whose(side, evidence)}, whose sources round {evidence.facts.name} does not accept",
                "measure with power-dev's own programs: add --power_dev=CHECKOUT to client and server",
            )


def uuids(evidence: Evidence) -> Iterator[Finding]:
    """Both records are of one session."""
    for role in ("client", "server"):
        if getattr(evidence.client, f"{role}_uuid") != getattr(evidence.server, f"{role}_uuid"):
            cause = f"client.json and server.json name different UUIDs of the {role}: they are of two sessions"
            yield Finding("uuid", "error", str(evidence.server.path), cause, _AGAIN)


def session_name(evidence: Evidence) -> Iterator[Finding]:
    """Both records name the session alike."""
    ours, theirs = evidence.client.session_name, evidence.server.session_name
    if ours != theirs:
        cause = f"the session is {theirs!r} here and {ours!r} in client.json"
        yield Finding("session-name", "error", str(evidence.server.path), cause, _AGAIN)


def messages(evidence: Evidence) -> Iterator[Finding]:
    """Both sides noted the same conversation, and spoke the same version of the protocol."""
    path, asked, heard = str(evidence.server.path), evidence.client.messages, evidence.server.messages
    if len(asked) != len(heard):
        cause = f"the client noted {len(asked)} commands, the server {len(heard)}"
        yield Finding("messages", "error", path, cause, _AGAIN)
        return
    for number, (one, other) in enumerate(zip(asked, heard, strict=True), 1):
        if one.cmd != other.cmd or (one.cmd != "time" and one.reply != other.reply):
            cause = f"command {number} is {_quote(one)} for the client, {_quote(other)} for the server"
            yield Finding("messages", "error", path, cause, _AGAIN)
    versions = [_ROLE.match(text) for text in ((heard[0].cmd, heard[0].reply) if heard else ())]
    if len(versions) < 2 or None in versions or len({found[2] for found in versions if found}) > 1:
        cause = "client and server did not greet each other in one version of the protocol"
        yield Finding("messages", "error", path, cause, _AGAIN)


def results(evidence: Evidence) -> Iterator[Finding]:
    """All files are there and are those that were measured: their SHA-1 is that of the records."""
    recorded = {**evidence.client.results, **evidence.server.results}
    present = hash_folder(evidence.folder)
    for name in REQUIRED:
        path = str(evidence.folder / name)
        if name not in present:
            yield Finding("results", "error", path, "the file is missing", _AGAIN)
        elif name not in recorded:
            yield Finding("results", "error", path, "neither record has a hash of it", _AGAIN)
        elif present[name] != recorded[name]:
            yield Finding("results", "error", path, "the file is not the one that was measured (SHA-1 differs)", _AGAIN)
    for name in sorted(set(REQUIRED) & set(evidence.client.results) & set(evidence.server.results)):
        if evidence.client.results[name] != evidence.server.results[name]:
            cause = "client.json and server.json hold different hashes of it"
            yield Finding("results", "error", str(evidence.folder / name), cause, _AGAIN)


def debug(evidence: Evidence) -> Iterator[Finding]:
    """The analyzer had its rests."""
    if evidence.server.debug:
        cause = "the server measured in debug mode, without the rests around ranging and testing"
        yield Finding("debug", "error", str(evidence.server.path), cause, "start it without --settle (and MLPP_DEBUG)")


def _whose(side: Side, evidence: Evidence) -> str:
    expected = evidence.facts.sources[0]
    if "lib/server.py" not in side.sources:
        return "another program than power-dev's"
    other = [name for name in sorted(expected) if side.sources.get(name) != expected[name]]
    return f"a changed or other state of power-dev (first difference: {other[0] if other else 'further files'})"


def _quote(exchange: object) -> str:
    cmd, reply = getattr(exchange, "cmd", ""), getattr(exchange, "reply", "")
    return f"{cmd[:60]!r} answered {reply[:60]!r}"
