"""Several processes that train one model: what they tell each other, and how they are started.

One process trains alone and none of this does anything. `--processes N` starts N of them on this machine with
torchrun, one a GPU; each opens the same run folder and takes its rows of every global batch.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from ganzoo.errors import GanzooError, UsageError


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
    """Values averaged over processes; every process must ask."""
    if world() > 1:
        _processes.reduce(values)
        values /= world()
    return values


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


def launch(run: Path, processes: int) -> None:
    """Trains a run folder with so many processes on this machine, and returns when they have.

    Raises: KeyboardInterrupt when they were stopped, GanzooError when one failed (its sentence has been printed).
    """
    if torch.cuda.is_available() and processes > torch.cuda.device_count():
        raise UsageError(f"--processes {processes} is more than the {torch.cuda.device_count()} GPUs here.")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    child = subprocess.Popen([*command, "-m", "ganzoo.worker", str(run)], env=environment)
    try:
        status = child.wait()
    except KeyboardInterrupt:
        child.wait()  # the processes heard Ctrl-C too and are writing their checkpoint
        raise
    if status:
        raise GanzooError(f"Training {run} in {processes} processes failed; see above, and {run / 'train.log'}.")


@contextmanager
def group() -> Iterator[None]:
    """Joins the processes that torchrun started, for as long as it lasts."""
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()
