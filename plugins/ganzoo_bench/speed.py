"""How fast an architecture trains here, against a loop without ganzoo, in one interleaved run.

Each contender is a process of its own that takes turns: so many steps of one, then of the other, round after round, so
that a machine whose speed drifts slows both. Medians and ratios of rounds are what is reported.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from ganzoo.api import GanzooError, UsageError, as_json, plugin_files

PICTURES = 2048  # images that the plain loop reads from a folder of JPEG files, and that a script trains on
WATCH = 1.0  # seconds between looks at the memory, each of which takes the kernel some tens of milliseconds
PAUSE = 1.0  # seconds between turns, in which the other's loader processes fall asleep


@dataclass(frozen=True)
class Job:
    """What is timed, as a contender's process is told it."""

    architecture: str
    data: str
    options: Mapping[str, Any]
    preset: str | None = None
    steps: int = 1
    folder: str = ""
    plugin_files: tuple[str, ...] = ()


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
    against: str | None = "plain",
    preset: str | None = None,
    rounds: int = 5,
    steps: int = 8,
    **options: Any,
) -> Result:
    """Times the training of an architecture, where it ends, so that one that grows has its full size.

    Args:
        against: "plain", the architecture's step in the loop of the PyTorch tutorial (ImageFolder, DataLoader with two
            workers, float32, every gradient); "bare", the same step by hand on data in memory, which leaves the
            trainer's own cost; None, nothing. Or a script and its arguments, such as ``"dcgan.py --niter 1 --dataroot
            {folder}"``, that trains on ``{images}`` pictures (the option `images`, 2,048 unless given), in batches of
            ``{batch}``: whole processes, which take turns with `ganzoo train` on as many.
        preset: a named set of options of the architecture.
        rounds, steps: turns of each, and steps in a turn.
        options: of the architecture and of the trainer, such as ``precision="bf16"``.
    Raises: UsageError; GanzooError when a script fails.
    """
    if rounds < 1 or steps < 1:
        raise UsageError("A benchmark takes at least one round of one step.")
    auto = options.get("batch_size") == "auto"  # decided by the first contender
    script = None if against in (None, "plain", "bare") else script_of(str(against))
    if script:
        options = {**options, "images": int(options.get("images") or PICTURES)}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ganzoo-"))
        if architecture.partition(":")[0].endswith(".py"):
            architecture = os.path.abspath(architecture)  # whole runs are in folders of their own
        job = Job(architecture, dataset, options, preset, steps, folder, tuple(plugin_files()))
        timed = stack.enter_context(Contender("ganzoo", job))
        ours: Contender | WholeRun = timed
        other: Contender | WholeRun | None = None
        facts = timed.facts
        job = replace(job, options={**options, "batch_size": facts["batch_size"]}) if auto else job
        if script:
            stack.close()  # the facts are known; from here on whole processes
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ganzoo-"))
            job = replace(job, folder=folder)
            ours, other = whole_runs(script, job, facts["batch_size"])
        elif against:
            other = stack.enter_context(Contender(str(against), job))
        speeds: list[float] = []
        others: list[float] = []
        for _ in range(rounds):
            speeds.append(ours.turn(steps))
            if other:
                others.append(other.turn(steps))
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
            protocol={**facts, "against": against, "preset": preset, "rounds": rounds, "steps": steps},
        )


class Watched:
    """Keeps the peak of a process's anonymous memory, and of its children's."""

    def __init__(self) -> None:
        self.peak_memory: int | None = None

    @contextmanager
    def watching(self, pid: int) -> Iterator[None]:
        done = threading.Event()

        def watch() -> None:
            while not done.wait(WATCH):
                now = anonymous_memory(pid)
                if now is not None:
                    self.peak_memory = max(self.peak_memory or 0, now)

        threading.Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            done.set()


class Contender(Watched):
    """A process that trains a few steps when told to."""

    def __init__(self, kind: str, job: Job) -> None:
        super().__init__()
        self.process = subprocess.Popen(
            worker(kind, job), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )

    def __enter__(self) -> Contender:
        try:
            self.facts = self._hear()
        except GanzooError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        _pipe(self.process.stdin).close()
        self.process.wait()
        _pipe(self.process.stdout).close()

    def turn(self, steps: int) -> float:
        """Images per second over so many steps."""
        time.sleep(PAUSE)
        stdin = _pipe(self.process.stdin)
        with self.watching(self.process.pid):
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


class WholeRun(Watched):
    """A command that trains from its start to its end in each turn, in a folder that is empty before."""

    def __init__(self, command: Sequence[str], folder: Path, images: int) -> None:
        super().__init__()
        self._command, self._folder, self._images = command, folder, images

    def turn(self, steps: int) -> float:
        """Images per second over the whole of it. Raises: GanzooError when it fails."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        time.sleep(PAUSE)
        begin, log = time.perf_counter(), self._folder.with_suffix(".log")
        with log.open("wb") as said:
            process = subprocess.Popen(
                self._command, cwd=self._folder, stdout=said, stderr=subprocess.STDOUT, env=environment()
            )
            with self.watching(process.pid):
                code = process.wait()
        if code:
            last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise GanzooError(f"{' '.join(self._command[:2])} … ended with code {code}: {''.join(last)}")
        return self._images / (time.perf_counter() - begin)


def whole_runs(script: Sequence[str], job: Job, batch: int) -> tuple[WholeRun, WholeRun]:
    """ganzoo's run and the script's, on as many images; the script's lie as JPEG files in a folder of one class."""
    here, images = Path(job.folder), int(job.options["images"])
    pictures = subprocess.run(
        worker("pictures", replace(job, folder=str(here / "pictures"))),
        env=environment(),
        capture_output=True,
        text=True,
    )
    if pictures.returncode:
        raise GanzooError(f"The script has no pictures to train on: {pictures.stderr.strip().splitlines()[-1]}")
    said = {"folder": str(here / "pictures"), "images": str(images), "batch": str(batch)}
    command = [sys.executable, *script]
    for name, value in said.items():
        command = [word.replace(f"{{{name}}}", value) for word in command]
    ours = worker("run", replace(job, folder=str(here / "ours" / "run")))
    return WholeRun(ours, here / "ours", images), WholeRun(command, here / "theirs", images)


def script_of(text: str) -> list[str]:
    """A script's path and its arguments. Raises: UsageError when there is none."""
    path, *arguments = shlex.split(text) or [""]
    if not path.endswith(".py") or not Path(path).is_file():
        raise UsageError(f"--against takes plain, bare or a script, FILE.py with its arguments; {path!r} is neither.")
    return [str(Path(path).resolve()), *arguments]


def worker(kind: str, job: Job) -> list[str]:
    return [sys.executable, "-m", "ganzoo_bench.worker", kind, json.dumps(as_json(job))]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


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
