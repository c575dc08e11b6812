"""loadgen's TestSettings from a RunConfig, and what loadgen must report as effective afterwards.

Precedence: RunConfig over user.conf over the mlperf.conf inside loadgen. Setting one thing in both to different values
is an error, because nobody could say which of the two was meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from harness import audit, userconf
from harness.config import RunConfig
from harness.errors import HarnessError
from harness.scenarios import ALL, Scenario
from harness.scenarios.base import NS_PER_MS


@dataclass(frozen=True)
class Expectation:
    """A key of mlperf_log_detail.txt, the value it must have and where that value was asked for."""

    key: str
    value: float
    asked_by: str


def read_user_conf(config: RunConfig) -> dict[str, userconf.Entry]:
    """Entries of the run's user.conf that apply to it; empty without one. Raises HarnessError of kind `user-conf`."""
    if config.user_conf is None:
        return {}
    entries = userconf.read(Path(config.user_conf), (config.conf_name,))
    return userconf.lookup(entries, config.conf_name, ALL[config.scenario].in_loadgen)


def target_qps(config: RunConfig) -> float:
    """Rate that the run asks for, 1 (mlperf.conf) where neither the configuration nor user.conf sets one."""
    entry = read_user_conf(config).get("target_qps")
    return config.target_qps or (entry.value if entry else 0.0) or 1.0


def build(loadgen: ModuleType, config: RunConfig) -> Any:
    """Return TestSettings. loadgen allows this once per process: its embedded mlperf.conf is read only once.

    Raises:
        HarnessError: kind `user-conf` for a bad file or a contradiction, `settings` when loadgen refuses the file.
    """
    scenario = ALL[config.scenario]
    entries = read_user_conf(config)
    _refuse_contradictions(config, scenario, entries)
    settings = loadgen.TestSettings()
    if config.user_conf is None:
        code = settings.FromConfig("", config.conf_name, scenario.in_loadgen, 0)
    else:
        code = settings.FromConfig(config.user_conf, config.conf_name, scenario.in_loadgen, 1)
    if code:
        raise HarnessError("settings", f"loadgen refused {config.user_conf or 'its own mlperf.conf'} (code {code})")
    settings.scenario = getattr(loadgen.TestScenario, scenario.in_loadgen)
    settings.mode = getattr(loadgen.TestMode, config.loadgen_mode)
    for setting in scenario.settings:
        value = getattr(config, setting.field)
        if value is not None:
            scale = setting.attribute_scale
            setattr(settings, setting.attribute, value if scale is None else value * scale)
    return settings


def _refuse_contradictions(config: RunConfig, scenario: Scenario, entries: dict[str, userconf.Entry]) -> None:
    for setting in scenario.settings:
        value, entry = getattr(config, setting.field), entries.get(setting.key)
        if value is not None and entry is not None and not _equal(float(value) * setting.key_scale, entry.value):
            raise HarnessError(
                "user-conf",
                f"{config.user_conf}:{entry.line}: {setting.key} = {entry.value:g}, but the run asks for "
                f"{setting.field} = {value:g}",
                "set it in one place only",
            )


def expectations(config: RunConfig, performance_sample_count: int) -> tuple[Expectation, ...]:
    """What `effective_*` must say, worked out from user.conf and RunConfig without loadgen's help."""
    scenario = ALL[config.scenario]
    asked: dict[str, tuple[float, str]] = {
        key: (entry.value, f"{config.user_conf}:{entry.line}") for key, entry in read_user_conf(config).items()
    }
    for setting in scenario.settings:
        value = getattr(config, setting.field)
        if value is not None:
            asked[setting.key] = (value * setting.key_scale, f"run configuration, {setting.field}")
    asked |= {key: (value, str(config.audit_config)) for key, value in audit.settings(config).items()}
    asked["performance_sample_count_override"] = (performance_sample_count, "the sample library")
    return tuple(_expect(key, value, by, scenario) for key, (value, by) in asked.items() if _logged(key, scenario))


_SAME = ("min_duration", "max_duration", "target_latency")
_AS_IS = (
    "max_query_count",
    "max_async_queries",
    "performance_issue_unique",
    "performance_issue_same",
    "performance_issue_same_index",
    "sample_concatenate_permutation",
    "samples_per_query",
    "accuracy_log_rng_seed",
    "accuracy_log_sampling_target",
)


def _logged(key: str, scenario: Scenario) -> bool:
    if key == "min_query_count":  # Offline turns it into the size of its one query
        return scenario.name != "Offline"
    return key in (*_SAME, *_AS_IS, "target_qps", "performance_sample_count_override", "target_latency_percentile")


def _expect(key: str, value: float, by: str, scenario: Scenario) -> Expectation:
    if key == "target_latency" and not scenario.queued:
        return Expectation("effective_target_qps", 1000.0 / value, by)
    if key == "target_latency":
        return Expectation("effective_target_latency_ns", value * NS_PER_MS, by)
    if key == "target_latency_percentile":
        return Expectation("effective_target_latency_percentile", value / 100, by)
    if key == "performance_sample_count_override":
        return Expectation("effective_performance_sample_count", value, by)
    return Expectation(f"effective_{key}" + ("_ms" if key in _SAME else ""), value, by)


def mismatches(expected: tuple[Expectation, ...], effective: dict[str, Any]) -> list[str]:
    """One line per expectation that loadgen's log does not confirm."""
    return [
        f"{one.key} is {effective.get(one.key, 'missing')}, but {one.asked_by} asks for {one.value:g}"
        for one in expected
        if one.key not in effective or not _equal(float(effective[one.key]), float(one.value))
    ]


def _equal(left: float, right: float) -> bool:
    # loadgen prints six significant digits
    return abs(left - right) <= 1e-5 * max(abs(left), abs(right))
