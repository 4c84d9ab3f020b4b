"""Several processes that train one model: what they tell each other, and how they are started.

One process trains alone and none of this does anything. `--processes N` starts N of them on this machine, one a GPU;
each opens the same run folder and takes its rows of every global batch.
"""

from __future__ import annotations

import json
import math
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

from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.interrupts import Interruptible

POLL = 0.1  # seconds between looks at the processes
PATIENCE = 10.0  # seconds that one has to end when the others are gone


def launch(
    run: Path, processes: int, say: Callable[[str], None], lock: int | None = None, deadline: float = math.inf
) -> str | None:
    """Trains a run folder with so many processes on this machine, and returns when they have, or have been stopped.

    They are in sessions of their own and hear of Ctrl-C from here: the first asks them to save and stop.

    Args:
        lock: descriptor of the run's lock, which they hold as well.
        deadline: when to save and stop, by `time.monotonic`.
    Returns: what asked them to stop, as `Interruptible` has it.

    Raises: KeyboardInterrupt for the second; GanzooError when a process failed.
    """
    if torch.cuda.is_available() and processes > torch.cuda.device_count():
        raise UsageError(f"--processes {processes} is more than the {torch.cuda.device_count()} GPUs here.")
    with TemporaryDirectory(prefix="ganzoo-") as meeting, Interruptible(say, deadline) as interrupted:
        workers: list[_Worker] = []
        try:
            workers.extend(_Worker(run, rank, processes, Path(meeting), lock) for rank in range(processes))
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
        return interrupted.why


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

    def __init__(self, run: Path, rank: int, processes: int, meeting: Path, lock: int | None) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
        environment.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes))
        apart: dict[str, Any] = {"start_new_session": True, "pass_fds": [] if lock is None else [lock]}
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
