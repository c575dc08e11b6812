"""One record per GPU from NVML. A value that a GPU does not report is None, never a guess."""

# names of CM's per-device properties (they become CM_CUDA_DEVICE_PROP_… keys) → names in our records
CM_PROPERTIES = {
    "GPU Device ID": "pci_bus_id",
    "GPU Name": "name",
    "GPU compute capability": "compute_capability",
    "CUDA driver version": "driver_version",
    "Global memory": "memory_bytes",
    "Max clock rate": "max_sm_clock_mhz",
}


def preprocess(i):
    env, state = i["env"], i["state"]
    try:
        import pynvml
    except ImportError:
        return _error("the Python package nvidia-ml-py is not installed", "python3 -m pip install nvidia-ml-py")
    try:
        devices = read_devices(pynvml)
    except pynvml.NVMLError as error:
        return _error(f"NVML does not list the GPUs: {error}", "nvidia-smi")
    if not devices:
        return _error(
            "the NVIDIA driver is there, and no GPU",
            "nvidia-smi; see CUDA_VISIBLE_DEVICES and the container's settings",
        )
    state["cm_cuda_devices"] = devices
    state["cm_cuda_devices_prop"] = {device["index"]: cm_properties(device) for device in devices}
    state["cm_cuda_num_devices"] = len(devices)
    env["CM_CUDA_NUM_DEVICES"] = str(len(devices))
    state["cm_cuda_device_prop"] = cm_properties(devices[-1])
    for name, value in state["cm_cuda_device_prop"].items():
        env["CM_CUDA_DEVICE_PROP_" + name.upper().replace(" ", "_")] = value
    return {"return": 0}


def read_devices(nvml):
    """Records of all GPUs. Raises NVMLError when NVML itself does not work."""
    nvml.nvmlInit()
    try:
        driver = _text(nvml.nvmlSystemGetDriverVersion())
        return [{"driver_version": driver, **_read_device(nvml, n)} for n in range(nvml.nvmlDeviceGetCount())]
    finally:
        nvml.nvmlShutdown()


def cm_properties(device):
    """A record in CM's words; what the GPU did not report is left out."""
    return {name: str(device[key]) for name, key in CM_PROPERTIES.items() if device[key] is not None}


def _read_device(nvml, index):
    handle = nvml.nvmlDeviceGetHandleByIndex(index)

    def ask(function, *arguments):
        try:
            return getattr(nvml, function)(handle, *arguments)
        except (nvml.NVMLError, AttributeError):
            return None

    capability, memory, pci = (
        ask(f"nvmlDeviceGet{what}") for what in ("CudaComputeCapability", "MemoryInfo", "PciInfo")
    )
    power = ask("nvmlDeviceGetEnforcedPowerLimit")
    mig = ask("nvmlDeviceGetMigMode")
    return {
        "index": index,
        "name": _text(ask("nvmlDeviceGetName")),
        "uuid": _text(ask("nvmlDeviceGetUUID")),
        "pci_bus_id": _text(pci.busId) if pci else None,
        "compute_capability": ".".join(map(str, capability)) if capability else None,
        "memory_bytes": memory.total if memory else None,
        "max_sm_clock_mhz": ask("nvmlDeviceGetMaxClockInfo", nvml.NVML_CLOCK_SM),
        "max_memory_clock_mhz": ask("nvmlDeviceGetMaxClockInfo", nvml.NVML_CLOCK_MEM),
        "power_limit_w": power / 1000 if power is not None else None,
        "persistence_mode": _switch(ask("nvmlDeviceGetPersistenceMode")),
        "ecc": _switch((ask("nvmlDeviceGetEccMode") or [None])[0]),
        "mig": _switch(mig[0]) if mig else None,
    }


def _switch(value):
    return None if value is None else bool(value)


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def _error(cause, hint):
    return {"return": 1, "error": cause, "hint": hint}
