"""A system's description: values with their origins, what is missing, and the file for systems/."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mlperf_checker import description as rules

from system_description.values import Origin, Value, Values

# Only a run can tell these; whoever knows better may give them.
FROM_RUNS = ("framework", "other_software_stack")
# These become folders, or must be one of a few words.
_IN_DEMONSTRATIONS = {"division": "open", "submitter": "demonstration", "status": "rdi", "system_type": "edge"}


@dataclass(frozen=True)
class Description:
    """All that is known of a system, for one round.

    Attributes:
        values: by key.
        round: as `v6.1`; decides which keys there are.
        power: the system has power results, which ask for further keys.
    """

    values: Mapping[str, Value]
    round: str
    power: bool = False

    @property
    def keys(self) -> tuple[rules.Key, ...]:
        """The keys that the file must have."""
        return rules.keys(self.round, network=rules.is_network(self.plain()), power=self.power)

    def plain(self) -> dict[str, str]:
        """Keys and texts, without origins."""
        return {key: value.text for key, value in self.values.items()}

    def missing(self) -> tuple[str, ...]:
        """Keys that nobody has answered and that may not be empty."""
        return tuple(key.name for key in self.keys if not key.may_be_empty and not self._has(key.name))

    def _has(self, name: str) -> bool:
        return bool(name in self.values and self.values[name].text)

    def objections(self, division: str | None = None, submitter: str | None = None) -> list[rules.Objection]:
        """What a checker would say; missing keys are part of it."""
        return rules.objections(self.plain(), self.round, division=division, submitter=submitter, power=self.power)

    def completed(self, more: Mapping[str, Value]) -> Description:
        """With further values, which do not replace any, and with the keys that may stay empty."""
        known = replace(self, values={**more, **{k: v for k, v in self.values.items() if v.text}})
        empty = {key.name: Value("", Origin.EMPTY) for key in known.keys if key.may_be_empty}
        return replace(known, values={**empty, **known.values})

    def with_placeholders(self, but: tuple[str, ...] = ()) -> Description:
        """For demonstrations: what is missing says that it is; keys in ``but`` stay missing."""
        chosen = {key.name: "1" for key in self.keys if key.is_count} | _IN_DEMONSTRATIONS
        texts = {name: chosen.get(name, "not given") for name in self.missing() if name not in but}
        return self.completed({name: Value(text, Origin.PLACEHOLDER) for name, text in texts.items()})

    def to_json(self) -> str:
        """The file for systems/, keys in the round's order."""
        order = [key.name for key in self.keys]
        texts = self.plain()
        names = [*(name for name in order if name in texts), *sorted(set(texts) - set(order))]
        return json.dumps({name: texts[name] for name in names}, indent=2, ensure_ascii=False) + "\n"

    def origins_json(self) -> str:
        """Where each value comes from, as a file beside the description (it is no part of a submission)."""
        entries = {
            key: {"value": one.text, "origin": one.origin.value, "source": one.source}
            for key, one in sorted(self.values.items())
        }
        return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"

    @staticmethod
    def from_files(text: str, origins: str, round_version: str) -> Description:
        """Read both files back; ValueError for what is no JSON of ours."""
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("it must be an object with keys and values")
        sources = json.loads(origins) if origins else {}
        values = {key: Value(str(value), *_origin(sources.get(key, {}), str(value))) for key, value in content.items()}
        return Description(values, round_version)


def _origin(entry: Mapping[str, str], text: str) -> tuple[Origin, str]:
    """The recorded origin; a value that was edited since is its owner's."""
    if entry.get("value") != text:
        return Origin.GIVEN, "edited by hand"
    return Origin(entry.get("origin", "given")), entry.get("source", "")


def differences(host: Values, given: Values) -> list[str]:
    """Where the owner says something else than the host; the owner is believed, and told."""
    return [
        f"{key}: you say {given[key].text!r}, the host says {host[key].text!r} ({host[key].source})"
        for key in given
        if key in host and host[key].origin is Origin.DETECTED and host[key].text != given[key].text
    ]
