"""A run folder with a config, and a GPU that NVML's functions make up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from trainer import joules
from trainer.config import CONFIG, TrainConfig

WATTS = 250.0


def configured(folder: Path, **changes: object) -> Path:
    """A run folder as the supervisor prepares it."""
    folder.mkdir(parents=True, exist_ok=True)
    config = TrainConfig(
        task="digits:Digits",
        benchmark="image_classification",
        output_dir=str(folder),
        tier="synthetic",
        **changes,  # type: ignore[arg-type]
    )
    (folder / CONFIG).write_text(config.to_json())
    return folder


@dataclass
class FakeGpus:
    """GPUs that draw `WATTS` each, on a clock that goes on by a second at every look."""

    now_s: float = 0.0
    count: int = 2
    has_counter: bool = True

    def clock(self) -> float:
        return self.now_s

    def utilisation(self, handle: int) -> SimpleNamespace:
        self.now_s += 1.0 if handle == 0 else 0.0
        return SimpleNamespace(gpu=80 + handle)


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGpus]:
    import pynvml

    fake = FakeGpus()

    def energy(handle: int) -> int:
        if not fake.has_counter:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return int(WATTS * fake.now_s * 1000)

    made = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: fake.count,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetHandleByUUID": lambda uuid: int(uuid.removeprefix("GPU-")),
        "nvmlDeviceGetName": lambda handle: "Imagined 9000",
        "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
        "nvmlDeviceGetUtilizationRates": fake.utilisation,
        "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(used=3 << 30),
        "nvmlDeviceGetTemperature": lambda handle, sensor: 61,
        "nvmlDeviceGetPowerUsage": lambda handle: int(WATTS * 1000),
        "nvmlDeviceGetTotalEnergyConsumption": energy,
    }
    for name, function in made.items():
        monkeypatch.setattr(pynvml, name, function)
    monkeypatch.setattr(joules, "monotonic", fake.clock)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    yield fake
