"""The other processes of a training: which one this is, and what they add up together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor


class Processes:
    """Those that train together: the ones that torchrun started, else this one alone."""

    def rank(self) -> int:
        return dist.get_rank() if dist.is_initialized() else 0

    def world(self) -> int:
        return dist.get_world_size() if dist.is_initialized() else 1

    def reduce(self, values: Tensor, largest: bool = False) -> None:
        """Replaces the values of every process by their sum over all, or by the largest."""
        dist.all_reduce(values, dist.ReduceOp.MAX if largest else dist.ReduceOp.SUM)

    def gather(self, rows: Tensor) -> list[Tensor]:
        """What every process gives, all of one shape, in the order of their ranks."""
        parts = [torch.empty_like(rows) for _ in range(self.world())]
        dist.all_gather(parts, rows)
        return parts


class Alone(Processes):
    """This process by itself, while others wait for it."""

    def rank(self) -> int:
        return 0

    def world(self) -> int:
        return 1


_processes = Processes()


@contextmanager
def standing_in(processes: Processes) -> Iterator[None]:
    """Within it, others stand in for the real processes; `ganzoo.testing` runs several in one."""
    global _processes
    before, _processes = _processes, processes
    try:
        yield
    finally:
        _processes = before


def rank() -> int:
    """This process's number, 0 … world() - 1."""
    return _processes.rank()


def world() -> int:
    """How many processes train together."""
    return _processes.world()


def is_leader() -> bool:
    """Whether this is the process that writes and shows."""
    return rank() == 0


def any_of(flag: bool, device: torch.device) -> bool:
    """Whether `flag` is true on any process; every process must ask."""
    if world() == 1:
        return flag
    shared = torch.tensor(float(flag), device=device)
    _processes.reduce(shared, largest=True)
    return bool(shared)


def mean_over_processes(values: Tensor) -> Tensor:
    """Values averaged over processes, a new tensor without a graph; every process must ask. Alone: the values given."""
    if world() == 1:
        return values
    mean = values.detach().clone()
    _processes.reduce(mean)
    return mean.div_(world())


def gather(rows: Tensor) -> Tensor:
    """Every process's rows [B, ...] laid end to end, [B * world(), ...]; every process must ask."""
    return rows if world() == 1 else torch.cat(_processes.gather(rows.contiguous()))


def average_gradients(gradients: list[Tensor]) -> None:
    """Averages gradients over processes in place, in one flat all-reduce."""
    if world() == 1 or not gradients:
        return
    flat = mean_over_processes(torch.cat([gradient.reshape(-1) for gradient in gradients]))
    pieces = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, piece in zip(gradients, pieces, strict=True):
        gradient.copy_(piece.view_as(gradient))
