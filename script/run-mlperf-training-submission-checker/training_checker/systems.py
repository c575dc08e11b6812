"""systems/<name>.json: the fields that a training submission must have, and what may stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

FIELDS = (
    "submitter",
    "division",
    "status",
    "system_name",
    "number_of_nodes",
    "host_processors_per_node",
    "host_processor_model_name",
    "host_processor_core_count",
    "host_processor_vcpu_count",
    "host_processor_frequency",
    "host_processor_caches",
    "host_processor_interconnect",
    "host_memory_capacity",
    "host_storage_type",
    "host_storage_capacity",
    "host_networking",
    "host_networking_topology",
    "host_memory_configuration",
    "accelerators_per_node",
    "accelerator_model_name",
    "accelerator_host_interconnect",
    "accelerator_frequency",
    "accelerator_on-chip_memories",
    "accelerator_memory_configuration",
    "accelerator_memory_capacity",
    "accelerator_interconnect",
    "accelerator_interconnect_topology",
    "cooling",
    "hw_notes",
    "framework",
    "other_software_stack",
    "operating_system",
    "sw_notes",
)
COUNTS = ("number_of_nodes", "host_processors_per_node", "accelerators_per_node")
DIVISIONS = ("closed", "open")
# The words of inference submissions for the same things.
STATUSES = {
    "onprem": "Available on-premise",
    "available": "Available on-premise",
    "cloud": "Available cloud",
    "rdi": "Research, Development, or Internal (RDI)",
    "preview": "Preview",
}


def objections(description: Mapping[str, Any], version: str) -> Iterator[tuple[str, str]]:
    """What stands against a description: cause and remedy.

    Args:
        version: of the ruleset; the words for the status are checked from 4.0 on.
    """
    for field in FIELDS:
        if field not in description:
            yield f"the field {field!r} is missing", f'add "{field}": "…", or "" if it is not known'
    for field in FIELDS:
        value = description.get(field)
        if value is not None and not isinstance(value, str):
            yield f"{field!r} is {value!r}, no text; mlperf-logging dies of that", f'write "{field}": "{value}"'
    for field in COUNTS:
        value = description.get(field)
        if isinstance(value, str) and not value.isdecimal():
            yield f"{field!r} is {value!r}, not a whole number", f'write "{field}": "0" or more'
    yield from _words(description, version)


def _words(description: Mapping[str, Any], version: str) -> Iterator[tuple[str, str]]:
    division, status = description.get("division"), description.get("status")
    if division is not None and division not in DIVISIONS:
        yield f"the division is {division!r}", "write open or closed"
    new = version == "own" or int(version.partition(".")[0]) >= 4
    if status is not None and new and status not in STATUSES.values():
        meant = STATUSES.get(str(status).lower(), STATUSES["rdi"])
        yield f"the status is {status!r}", f'write "{meant}", or one of the others: {"; ".join(STATUSES.values())}'
