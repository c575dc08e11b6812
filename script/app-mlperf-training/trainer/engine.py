"""PyTorch under one roof: one process, DDP or FSDP; fp32, bf16 or fp16; compiled or not.

`accelerate` offers the same and does not start two ranks on a CPU, and its wrappers cost more than a small model's
step; torch's own parts are few enough to be put together here.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from trainer.config import TrainConfig
from trainer.errors import TrainingError
from trainer.result import ModelFacts

if TYPE_CHECKING:
    import torch

    from trainer.task import Task


class Engine:
    """Holds device, ranks and precision. Make one per process, `close` it at the end."""

    def __init__(self, config: TrainConfig) -> None:
        import torch

        self.rank = int(os.environ.get("RANK", "0"))
        self.world = int(os.environ.get("WORLD_SIZE", "1"))
        self.config = config
        self.device = _device(config, int(os.environ.get("LOCAL_RANK", "0")))
        if config.threads:
            torch.set_num_threads(config.threads)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        if self.world > 1:
            torch.distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
        self.sharded = self.world > 1 and config.strategy == "fsdp"
        # fp16 alone needs its loss scaled: its smallest gradients would be zero
        self.scaler = torch.amp.GradScaler("cuda", enabled=config.precision == "fp16")

    def prepare(self, task: Task) -> tuple[torch.nn.Module, torch.nn.Module]:
        """The task's network on its device: bare (for judging and saving), and as training calls it."""
        import torch

        bare = task.model().to(self.device)
        if task.channels_last and self.config.channels_last:
            bare = bare.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.sharded:
            return self._shard(bare), bare
        wrapped: Any = torch.compile(bare) if self.config.compile else bare
        if self.world > 1:
            from torch.nn.parallel import DistributedDataParallel

            ids = [self.device.index] if self.device.type == "cuda" else None
            wrapped = DistributedDataParallel(wrapped, device_ids=ids, find_unused_parameters=task.unused_parameters)
        return bare, wrapped

    def _shard(self, model: torch.nn.Module) -> torch.nn.Module:
        from torch.distributed.fsdp import fully_shard

        # Every rank has drawn the same weights, so each may keep its own part of them.
        for child in model.children():
            if any(True for _ in child.parameters()):
                with contextlib.suppress(ValueError):  # a list of modules has no forward of its own to hook
                    fully_shard(child)
        fully_shard(model)
        return model

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which the network is called."""
        import torch

        if self.config.precision == "fp32":
            return contextlib.nullcontext()
        chosen = torch.bfloat16 if self.config.precision == "bf16" else torch.float16
        return torch.autocast(self.device.type, chosen)

    def unsynchronised(self, model: torch.nn.Module, more_to_come: bool) -> AbstractContextManager[Any]:
        """Gradients stay on their rank while more of them are to be added (accumulation)."""
        no_sync = getattr(model, "no_sync", None)
        return no_sync() if more_to_come and no_sync is not None else contextlib.nullcontext()

    def to_device(self, batch: Any) -> Any:
        """The batch's tensors on the device, wherever they are in it; on a CPU the batch itself."""
        if self.device.type == "cpu":
            return batch
        return _moved(batch, self.device)

    def agree(self, value: Any) -> Any:
        """Rank 0's value on every rank."""
        if self.world == 1:
            return value
        import torch

        holder = [value]
        torch.distributed.broadcast_object_list(holder, src=0)
        return holder[0]

    def collect(self, values: list[Any]) -> list[Any]:
        """All ranks' lists, joined, on every rank."""
        if self.world == 1:
            return values
        import torch

        parts: list[Any] = [None] * self.world
        torch.distributed.all_gather_object(parts, values)
        return [value for part in parts for value in part]

    def level_buffers(self, model: torch.nn.Module) -> None:
        """Give every rank the buffers of rank 0: batch statistics are each rank's own after its last step."""
        if self.world > 1:
            import torch

            for buffer in model.buffers():
                torch.distributed.broadcast(buffer, src=0)

    def states(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Whole state dictionaries of model and optimiser, on every rank."""
        if not self.sharded:
            return {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict

        whole = get_state_dict(model, optimizer, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
        return {"model": whole[0], "optimizer": whole[1]}

    def restore(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, states: Mapping[str, Any]) -> None:
        """Take back what `states` gave."""
        if not self.sharded:
            model.load_state_dict(states["model"])
            optimizer.load_state_dict(states["optimizer"])
            return
        from torch.distributed.checkpoint.state_dict import StateDictOptions, set_state_dict

        set_state_dict(
            model,
            optimizer,
            model_state_dict=states["model"],
            optim_state_dict=states["optimizer"],
            options=StateDictOptions(full_state_dict=True),
        )

    def wait(self) -> None:
        """Until the device has done all it was given."""
        if self.device.type == "cuda":
            import torch

            torch.cuda.synchronize(self.device)

    def barrier(self) -> None:
        """Until every rank is here."""
        if self.world > 1:
            import torch

            torch.distributed.barrier()

    def peak_device_bytes(self) -> int | None:
        """Most memory that torch had allocated on the GPU; None on a CPU."""
        if self.device.type != "cuda":
            return None
        import torch

        return int(torch.cuda.max_memory_allocated(self.device))

    def close(self) -> None:
        """Leave the group of ranks."""
        if self.world > 1:
            import torch

            torch.distributed.destroy_process_group()


def model_facts(model: torch.nn.Module) -> ModelFacts:
    """Counts of a bare model; shared tensors count once."""
    parameters = list(model.parameters())
    return ModelFacts(
        architecture=type(model).__name__,
        parameters=sum(one.numel() for one in parameters),
        trainable=sum(one.numel() for one in parameters if one.requires_grad),
        bytes=sum(one.numel() * one.element_size() for one in (*parameters, *model.buffers())),
    )


def _device(config: TrainConfig, local_rank: int) -> torch.device:
    import torch

    if config.device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise TrainingError("device", "CUDA was asked for and torch finds no GPU", "nvidia-smi, or --device=cpu")
    found = torch.cuda.device_count()
    index = int(config.device.partition(":")[2] or local_rank)
    if index >= found:
        raise TrainingError("device", f"GPU {index} was asked for, the host has {found}", f"--gpus_per_node={found}")
    return torch.device("cuda", index)


def _moved(value: Any, device: torch.device) -> Any:
    if hasattr(value, "to"):
        return value.to(device, non_blocking=True)
    if isinstance(value, Mapping):
        return {key: _moved(one, device) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_moved(one, device) for one in value)
    return value
