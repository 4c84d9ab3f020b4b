"""Several processes that train one model: what they tell each other, and how they are started.

One process trains alone and none of this does anything. `--processes N` starts N of them on this machine, one a GPU;
each opens the same run folder and takes its rows of every global batch.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.interrupts import Interruptible

POLL = 0.1  # seconds between looks at the processes
PATIENCE = 10.0  # seconds that one has to end when the others are gone


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


def launch(run: Path, processes: int, say: Callable[[str], None]) -> None:
    """Trains a run folder with so many processes on this machine, and returns when they have, or have been stopped.

    They are in sessions of their own and hear of Ctrl-C from here: the first asks them to save and stop.

    Raises: KeyboardInterrupt for the second; GanzooError when a process failed.
    """
    if torch.cuda.is_available() and processes > torch.cuda.device_count():
        raise UsageError(f"--processes {processes} is more than the {torch.cuda.device_count()} GPUs here.")
    with TemporaryDirectory(prefix="ganzoo-") as meeting, Interruptible(say) as interrupted:
        workers: list[_Worker] = []
        try:
            workers.extend(_Worker(run, rank, processes, Path(meeting)) for rank in range(processes))
            told = False
            while any(worker.running for worker in workers) and not any(worker.failed for worker in workers):
                time.sleep(POLL)
                if interrupted.asked and not told:
                    told = True
                    for worker in workers:
                        worker.interrupt()
            failed = next((worker for worker in workers if worker.failed), None)
            if failed is not None:
                raise GanzooError(failed.reason)
        finally:
            _end(workers)


def _end(workers: Sequence[_Worker]) -> None:
    """Interrupts those that are still running, without saving, and ends them soon after."""
    for worker in workers:
        worker.interrupt()
        worker.interrupt()
    deadline = time.monotonic() + PATIENCE
    for worker in workers:
        worker.end(deadline - time.monotonic())


class _Worker:
    """A process that trains with others."""

    def __init__(self, run: Path, rank: int, processes: int, meeting: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
        environment.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes))
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self._rank, self._run, self._complaint = rank, run, meeting / f"error-{rank}"
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "ganzoo.training.worker", str(run), str(meeting)],
            env=environment, stdin=subprocess.PIPE, **apart,
        )  # fmt: skip
        assert process.stdin is not None
        self._stdin = process.stdin

    def end(self, patience: float) -> None:
        """Waits so many seconds for its end, then brings it about."""
        try:
            self._process.wait(max(0.0, patience))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(OSError):
            self._stdin.close()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def failed(self) -> bool:
        return bool(self._process.poll())

    @property
    def reason(self) -> str:
        """What went wrong, in a sentence."""
        if self._complaint.exists():
            return str(json.loads(self._complaint.read_text(encoding="utf-8")))
        code = self._process.poll()
        return (
            f"Process {self._rank} of those that train {self._run} ended with code {code} (out of memory?); "
            f"checkpoints so far are kept, and `ganzoo resume {self._run}` goes on."
        )

    def interrupt(self) -> None:
        """Ctrl-C, for this process alone."""
        with suppress(OSError):
            self._stdin.write(b"\n")
            self._stdin.flush()


def env_rank() -> int:
    """The number that `launch` gave this process; 0 where it did not start it."""
    return int(os.environ.get("RANK", 0))


@contextmanager
def group(meeting: Path) -> Iterator[None]:
    """Joins the processes that `launch` started, which find each other by a file in `meeting`."""
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(env_rank())
    dist.init_process_group(
        "nccl" if cuda else "gloo",
        init_method=f"file://{meeting / 'group'}",
        rank=env_rank(),
        world_size=int(os.environ["WORLD_SIZE"]),
    )
    try:
        yield
    finally:
        dist.destroy_process_group()
