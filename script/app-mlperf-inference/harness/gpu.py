"""What NVML says about the GPU while a run goes on, asked from the watching process. Untested on hardware."""

from __future__ import annotations

from typing import Any

from harness.outcome import GpuSample, GpuTruth

# nvml.h, nvmlClocksEventReasons; idle and application-clock settings are no throttling.
THROTTLE_REASONS = {
    0x0000000000000004: "software power cap",
    0x0000000000000008: "hardware slowdown",
    0x0000000000000020: "software thermal slowdown",
    0x0000000000000040: "hardware thermal slowdown",
    0x0000000000000080: "hardware power brake",
}


class GpuWatch:
    """Samples one GPU, chosen by UUID; `missing` says why where NVML cannot be used."""

    def __init__(self, nvml: Any = None) -> None:
        self._nvml = nvml
        self._handle: Any = None
        self._samples: list[GpuSample] = []
        self.missing = ""

    def watch(self, uuid: str) -> None:
        """Start watching; a failure is kept in `missing`, it does not end the run."""
        try:
            self._nvml = self._nvml or _import_nvml()
            self._nvml.nvmlInit()
            self._handle, self._uuid = self._nvml.nvmlDeviceGetHandleByUUID(uuid), uuid
        except Exception as error:
            self.missing = f"NVML: {error}"

    def sample(self) -> None:
        """Take one reading, if watching."""
        if self._handle is None:
            return
        try:
            self._samples.append(self._read())
        except Exception as error:
            self.missing = f"NVML: {error}"

    def _read(self) -> GpuSample:
        nvml, handle = self._nvml, self._handle
        bits = nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)
        return GpuSample(
            sm_clock_mhz=nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM),
            memory_clock_mhz=nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM),
            utilisation_percent=nvml.nvmlDeviceGetUtilizationRates(handle).gpu,
            temperature_c=nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU),
            power_w=nvml.nvmlDeviceGetPowerUsage(handle) / 1000,
            throttle_reasons=tuple(text for bit, text in THROTTLE_REASONS.items() if bits & bit),
        )

    def truth(self) -> GpuTruth | None:
        """Summary of the readings; None without any."""
        samples = self._samples
        if not samples:
            return None
        nvml, handle = self._nvml, self._handle
        clocks = [one.sm_clock_mhz for one in samples]
        return GpuTruth(
            name=str(nvml.nvmlDeviceGetName(handle)),
            uuid=self._uuid,
            driver=str(nvml.nvmlSystemGetDriverVersion()),
            samples=len(samples),
            sm_clock_mhz_min=min(clocks),
            sm_clock_mhz_max=max(clocks),
            sm_clock_mhz_limit=nvml.nvmlDeviceGetMaxClockInfo(handle, nvml.NVML_CLOCK_SM),
            utilisation_percent_mean=sum(one.utilisation_percent for one in samples) / len(samples),
            temperature_c_max=max(one.temperature_c for one in samples),
            power_w_mean=sum(one.power_w for one in samples) / len(samples),
            throttle_reasons=tuple(sorted({reason for one in samples for reason in one.throttle_reasons})),
        )


def _import_nvml() -> Any:
    import pynvml

    return pynvml
