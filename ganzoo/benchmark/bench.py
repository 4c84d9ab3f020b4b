"""How fast an architecture trains here, against a loop without ganzoo, in one interleaved run.

Each contender is a process of its own that takes turns: so many steps of one, then of the other, round after round, so
that a machine whose speed drifts slows both. Medians and ratios of rounds are what is reported.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal

from ganzoo.catalogue.single_file import PluginFile, named, records
from ganzoo.contract.stored import as_json
from ganzoo.errors import GanzooError, UsageError

Against = Literal["plain", "bare"]
PICTURES = 2048  # images that the plain loop reads from a folder of JPEG files
WATCH = 1.0  # seconds between looks at the memory, each of which takes the kernel some tens of milliseconds
PAUSE = 1.0  # seconds between turns, in which the other's loader processes fall asleep


@dataclass(frozen=True)
class Job:
    """What is timed, as a contender's process is told it."""

    architecture: str
    data: str
    options: Mapping[str, Any]
    folder: str = ""
    plugin_files: tuple[PluginFile, ...] = ()


@dataclass(frozen=True)
class Result:
    """Medians over rounds. `ratio` is ganzoo's speed over the other's, round by round; memory is the peak of
    anonymous pages, summed over a contender's processes (None where the system does not say).
    """

    images_per_second: float
    plain_images_per_second: float | None
    ratio: float | None
    ratios: list[float]
    peak_memory_bytes: int | None
    plain_peak_memory_bytes: int | None
    flops_per_image: int
    ceiling_share: float
    protocol: dict[str, Any]


def bench(
    architecture: str,
    dataset: str = "anime",
    *,
    against: Against | None = "plain",
    rounds: int = 5,
    steps: int = 8,
    **options: Any,
) -> Result:
    """Times the training of an architecture.

    Args:
        against: "plain", the same networks in the loop of the PyTorch tutorial (ImageFolder, DataLoader with two
            workers, float32, every gradient); "bare", the same step by hand on data in memory, which leaves the
            trainer's own cost; None, nothing.
        rounds, steps: turns of each, and steps in a turn.
        options: of the architecture and of the trainer, such as ``precision="bf16"``.
    Raises: UsageError, also for "plain" and "bare" of an architecture that is not a TwoPlayer.
    """
    if rounds < 1 or steps < 1:
        raise UsageError("A benchmark takes at least one round of one step.")
    job = Job(named(architecture), dataset, options, plugin_files=records())
    with ExitStack() as stack:
        if against == "plain":
            job = replace(job, folder=stack.enter_context(tempfile.TemporaryDirectory()))
        ours = stack.enter_context(Contender("ganzoo", job))
        other = stack.enter_context(Contender(against, job)) if against else None
        speeds: list[float] = []
        others: list[float] = []
        for _ in range(rounds):
            speeds.append(ours.turn(steps))
            if other:
                others.append(other.turn(steps))
        facts = ours.facts
        ratios = [mine / theirs for mine, theirs in zip(speeds, others, strict=False)]
        speed = statistics.median(speeds)
        return Result(
            images_per_second=speed,
            plain_images_per_second=statistics.median(others) if others else None,
            ratio=statistics.median(ratios) if ratios else None,
            ratios=[round(ratio, 4) for ratio in ratios],
            peak_memory_bytes=ours.peak_memory,
            plain_peak_memory_bytes=other.peak_memory if other else None,
            flops_per_image=facts["flops_per_image"],
            ceiling_share=facts["flops_per_image"] * speed / facts["ceiling_flops"],
            protocol={**facts, "against": against, "rounds": rounds, "steps": steps},
        )


class Contender:
    """A process that trains a few steps when told to."""

    def __init__(self, kind: str, job: Job) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-m", "ganzoo.benchmark.worker", kind, json.dumps(as_json(job))]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.peak_memory: int | None = None
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Contender:
        try:
            self.facts = self._hear()
        except GanzooError:
            self.__exit__()
            raise
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        _pipe(self.process.stdin).close()
        self.process.wait()
        _pipe(self.process.stdout).close()

    def turn(self, steps: int) -> float:
        """Images per second over so many steps."""
        time.sleep(PAUSE)
        stdin = _pipe(self.process.stdin)
        stdin.write(f"{steps}\n")
        stdin.flush()
        return float(self._hear()["images_per_second"])

    def _hear(self) -> dict[str, Any]:
        for line in _pipe(self.process.stdout):
            if line.startswith("{"):
                heard: dict[str, Any] = json.loads(line)
                if "error" in heard:
                    raise UsageError(heard["error"]) if heard["code"] == 2 else GanzooError(heard["error"])
                return heard
        raise GanzooError("A benchmark's process ended before its time; run it alone to see why.")

    def _watch(self) -> None:
        while not self._done.wait(WATCH):
            now = anonymous_memory(self.process.pid)
            if now is not None:
                self.peak_memory = max(self.peak_memory or 0, now)


def anonymous_memory(pid: int) -> int | None:
    """Bytes of anonymous memory of a process and its descendants (Linux; None elsewhere)."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return None
    own = next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Anonymous:")), 0)
    return own + sum(anonymous_memory(int(child)) or 0 for child in children)


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
