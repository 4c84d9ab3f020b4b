"""What a training step needs of memory, and what this machine has free."""

from __future__ import annotations

import copy
import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.contract.architecture import Architecture, Progress
from ganzoo.contract.data_spec import Batch, DataSpec
from ganzoo.contract.networks import networks
from ganzoo.contract.recompute import recomputed
from ganzoo.contract.settings import Settings
from ganzoo.contract.turns import ContractError, players
from ganzoo.devices import pick_device
from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import free_memory


class TooLarge(UsageError):
    """A training that the memory here cannot hold."""


OVERHEAD = 1.3  # workspaces of convolutions, fragmentation, gradients in flight; measured on dcgan


def memory_needed(model: Architecture, batch_size: int, recompute: bool = False) -> int:
    """Bytes that a training step needs, from a dry step of a model on the meta device.

    Counts weights, gradients, Adam's two moments, the average, and every tensor that autograd saves in the step; with
    `recompute` the inputs of blocks in place of what they save, and the block that saves most.
    """
    saved: dict[int, int] = {}
    within = [0]

    def pack(tensor: Tensor, into: dict[int, int] = saved) -> Tensor:
        storage = tensor.untyped_storage()
        into[storage._cdata] = storage.nbytes()
        return tensor

    def counted(block: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        own: dict[int, int] = {}
        with torch.autograd.graph.saved_tensors_hooks(lambda tensor: pack(tensor, own), lambda tensor: tensor):
            made = forward(*args, **kwargs)
        within.append(sum(own.values()))
        for given in args:
            if isinstance(given, Tensor):
                pack(given)
        return made

    if recompute:
        recomputed(networks(model := copy.deepcopy(model)).values(), counted)

    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    end = Progress(0, batch_size, 0, 0, batch_size)  # where a network that grows is largest
    batch = _meta_batch(model.data, min(batch_size, model.batch_size(end) or batch_size))
    kept: list[Any] = []
    trained = [name for name, child in networks(model).items() if any(p.requires_grad for p in child.parameters())]
    model.begin_step(end)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        for update in model.step(itertools.repeat(batch), end):
            players(update, type(model).__name__, networks(model), trained)
            kept.append(update)  # keeps every graph alive, so that no storage is counted under another's address
    return int((5 * weights + sum(saved.values()) + max(within)) * OVERHEAD)


def batches_drawn(model: Architecture, batch_size: int) -> int:
    """Batches that a step draws, from a dry step of a model on the meta device; 1 where none can be taken."""
    batch, drawn = _meta_batch(model.data, batch_size), 0

    def count() -> Iterator[Batch]:
        nonlocal drawn
        while True:
            drawn += 1
            yield batch

    try:
        for _ in model.step(count(), Progress(0, 0, 0, 0, 1)):
            pass
    except (NotImplementedError, RuntimeError, GanzooError):  # it reads values; those drawn before that count
        pass
    return max(1, drawn)


def check_memory(model: Architecture, settings: Settings) -> int | None:
    """Refuses a training that the CPU's memory cannot hold; returns the estimate in bytes, None where there is none.

    It is that of all processes where they share the CPU's memory, else of one.

    Raises: UsageError saying what to lower; ContractError where the architecture's step is not sound.
    """
    device = pick_device(settings.device)
    try:
        needed = memory_needed(
            model, share := settings.batch_size // (settings.accumulate * settings.processes), settings.recompute
        )
    except (UsageError, ContractError):
        raise  # the step cannot be done with these options, or at all, wherever
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):  # torch's word for a batch of one item
            raise
        parts = settings.accumulate * settings.processes
        split = f", and {settings.batch_size} items in {parts} parts are one each" if parts > 1 else ""
        raise UsageError(
            f"Batch norm needs more than one item at a time{split}; use --batch-size {2 * parts} or more."
        ) from error
    except (NotImplementedError, RuntimeError, GanzooError):
        return None  # a step that reads values cannot run without data; the allocator will have the last word
    if device.type == "cpu":
        here = int(os.environ.get("LOCAL_WORLD_SIZE", settings.processes))  # torchrun's others may be elsewhere
        needed, free = needed * here, free_memory()
        if free is not None and needed > free:
            less = here * memory_needed(model, share, True) if model.abilities.recompute else needed
            offer = f" With --recompute it needs about {less / 2**30:,.1f} GB." if less < needed else ""
            raise TooLarge(
                f"Training needs about {needed / 2**30:,.1f} GB of memory and {free / 2**30:,.1f} GB are free; lower "
                f"--batch-size (now {settings.batch_size}), --resolution or the networks' size, or compute the batch "
                f"in parts: --accumulate {2 * settings.accumulate}.{offer}"
            )
    return needed


def largest_batch(model: Architecture, settings: Settings, device: torch.device) -> int | None:
    """The largest batch whose step fits into the free memory of a CPU or GPU, about; None where that cannot be said."""
    free = (
        torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory() if device.type == "cpu" else None
    )
    parts = settings.accumulate * settings.processes
    one = max(2, settings.batch_size // parts)
    try:
        small, large = (memory_needed(model, count, settings.recompute) for count in (one, 2 * one))
    except (NotImplementedError, RuntimeError, ValueError, GanzooError):
        return None
    if free is None or large <= small:
        return None
    if device.type == "cpu":
        free //= settings.processes
    each = (large - small) / one  # bytes of an item
    return max(0, int((free - (small - one * each)) / each)) * parts


def _meta_batch(data: DataSpec, batch_size: int) -> Batch:
    def images(shape: tuple[int, ...]) -> Tensor:
        return torch.empty((batch_size, *shape), device="meta")

    label = torch.empty(batch_size, dtype=torch.int64, device="meta") if data.classes else None
    label = images((data.columns,)) if data.columns else label
    return Batch(images(data.shape), label, {name: images(data.shape_of(name)) for name in data.domains})
