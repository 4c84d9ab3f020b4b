"""The other processes of a training: which one this is, and what they add up together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

Piece = TypeVar("Piece")
Result = TypeVar("Result")


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

    def collect(self, value: Any) -> list[Any]:
        """What every process gives, of any kind on the CPU, in the order of their ranks."""
        values = [None] * self.world()
        dist.all_gather_object(values, value)
        return values

    def hand_out(self, tensor: Tensor) -> None:
        """Replaces the values of every process by those of the first."""
        values = tensor.contiguous()
        dist.broadcast(values, 0)
        tensor.copy_(values)


class Alone(Processes):
    """This process by itself, while others wait for it."""

    def rank(self) -> int:
        return 0

    def world(self) -> int:
        return 1


_processes = Processes()
_together = False


@contextmanager
def standing_in(processes: Processes) -> Iterator[None]:
    """Within it, others stand in for the real processes; `ganzoo.testing` runs several in one."""
    global _processes
    before, _processes = _processes, processes
    try:
        yield
    finally:
        _processes = before


@contextmanager
def together(on: bool = True) -> Iterator[None]:
    """Within it all processes do the same work, such as a score, and `share` gives each of them some of its pieces."""
    global _together
    before, _together = _together, on
    try:
        yield
    finally:
        _together = before


def share(work: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
    """`work` on each of the pieces, in order, made as they are asked for.

    Where processes share work, as for scores, they take the pieces in turn and all get all results, on the CPU; every
    process must ask for as many. Alone, and everywhere else: `map`.
    """
    if not _together or world() == 1:
        yield from map(work, pieces)
        return
    left = iter(pieces)
    while some := list(islice(left, world())):
        with together(False):  # what is shared is whole below
            mine = work(some[rank()]) if rank() < len(some) else None
        yield from _processes.collect(mine)[: len(some)]


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


def hand_out(tensors: Iterable[Tensor]) -> None:
    """Replaces tensors by those of the first process, in place; every process must ask."""
    for tensor in tensors if world() > 1 else ():
        _processes.hand_out(tensor)


def average_gradients(gradients: list[Tensor]) -> None:
    """Averages gradients over processes in place, in one flat all-reduce."""
    if world() == 1 or not gradients:
        return
    flat = mean_over_processes(torch.cat([gradient.reshape(-1) for gradient in gradients]))
    pieces = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, piece in zip(gradients, pieces, strict=True):
        gradient.copy_(piece.view_as(gradient))
