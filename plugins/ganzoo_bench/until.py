"""How long an architecture trains here until a score is reached."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganzoo.api import (
    Display,
    Interruptible,
    Lines,
    Run,
    Stopped,
    UsageError,
    better_scores,
    hookimpl,
    listening,
    suggest,
    train,
    typed,
)
from ganzoo_bench.speed import bench, script_of

SCORE = "score/"  # before its name in metrics.jsonl
OF_A_RUN = ("epochs", "images", "steps", "evaluate_every", "keep_best")  # options without which a loop is timed
EVERY = 5000  # images between two evaluations, unless asked otherwise
UNTIL = "--until"  # why training stopped


@dataclass(frozen=True)
class Reached:
    """A row of a table of times to quality.

    Attributes:
        score, goal, value: what was to be reached, and what was; where it was not, the best there was.
        minutes, images, steps: up to that evaluation, earlier evaluations included, over all lives of the run; where
            the goal was not reached, of all that was trained.
        joules: of the processors from the run's first step on; None where the system does not say, or the run had begun
            before.
        ratio, other_minutes: how much faster ganzoo is than the other loop, and what as many images would take that,
            without evaluations; None where none was asked for.
        ganzoo, machine, command, date: what it was measured with.
        run: the folder, which `ganzoo resume` goes on with.
    """

    architecture: str
    preset: str | None
    data: str
    score: str
    goal: float
    reached: bool
    value: float | None
    minutes: float
    images: int
    steps: int
    joules: float | None
    against: str | None
    ratio: float | None
    other_minutes: float | None
    ganzoo: str
    machine: str
    command: str
    date: str
    run: str

    @property
    def row(self) -> str:
        """It as a line of Markdown, for a table of `COLUMNS`."""
        value = "no score" if self.value is None else f"{self.value:.4g}"
        cells = (
            self.date, f"`{self.command}`", "yes" if self.reached else "no", value, f"{self.minutes:.1f}",
            f"{self.images:,}", "" if self.joules is None else f"{self.joules / 1000:,.1f} kJ", self.machine,
            self.ganzoo,
        )  # fmt: skip
        return f"| {' | '.join(cells)} |"


COLUMNS = ("date", "command", "reached", "score", "minutes", "images", "energy", "machine", "ganzoo")


def time_to_quality(
    architecture: str,
    dataset: str,
    until: str,
    *,
    preset: str | None = None,
    against: str | None = None,
    max_time: str | float | None = None,
    out: str | os.PathLike[str] | None = None,
    go_on: bool = False,
    display: Display | None = None,
    **options: Any,
) -> Reached:
    """Trains with evaluations until a score is reached, the time is over, or the training has ended.

    Args:
        until: a score and its value, such as ``"confident=0.8"`` or ``"swd=30"``.
        against: as `ganzoo.bench` has it: timed afterwards, to say what as many images would take the other loop.
        max_time, out, go_on, display, options: as `ganzoo.train`; `evaluate_every` is 5,000 images unless given. The
            run stays, with its best model.
    Raises: as `ganzoo.train`; UsageError for a score that cannot tell the better of two models.
    """
    score, goal = goal_of(until)
    if score not in better_scores():
        raise UsageError(f"{score} is not a score that tells the better model; {suggest(score, better_scores())}")
    if against not in (None, "plain", "bare"):
        script_of(str(against))
    options = {name: value for name, value in options.items() if value is not None}
    options = {"evaluate_every": EVERY, **options, "keep_best": score}
    better = better_scores()[score]
    display = display or Lines()
    with Interruptible(display.say) as interrupted:
        watcher = Watcher(score, goal, better, interrupted)
        with listening("benchmark", watcher):
            try:
                run = train(
                    architecture, dataset, preset=preset, out=out, go_on=go_on, max_time=max_time, display=display,
                    **options,
                )  # fmt: skip
            except Stopped as stopped:
                if stopped.why not in (UNTIL, "--max-time") or not isinstance(stopped.run, Run):
                    raise
                run = stopped.run
    other = {name: value for name, value in options.items() if name not in OF_A_RUN}
    timed = bench(architecture, dataset, against=against, preset=preset, **other) if against else None
    trained = [*run.metrics()]
    rows = [row for row in trained if SCORE + score in row]
    there = next((row for row in rows if reaches(row[SCORE + score], goal, better)), None)
    pick = max if better == "larger" else min
    best = there or pick(rows, key=lambda row: float(row[SCORE + score]), default=None)
    last = there or (trained[-1] if trained else {"seconds": 0.0, "images": 0, "step": 0})
    minutes, images, steps = last["seconds"] / 60, int(last["images"]), int(last["step"])
    given = {**options, "max_time": max_time, "against": against}
    given = {name: value for name, value in given.items() if value is not None and name != "keep_best"}
    return Reached(
        architecture, preset, dataset, score, goal, there is not None,
        None if best is None else float(best[SCORE + score]), minutes, images, steps,
        watcher.joules, against, timed.ratio if timed else None,
        images / timed.plain_images_per_second / 60 if timed and timed.plain_images_per_second else None,
        version(run), machine(run), command(architecture, dataset, until, {"preset": preset, **given}),
        datetime.now(UTC).date().isoformat(), str(run.path),
    )  # fmt: skip


class Watcher:
    """Asks a training to stop when a score is reached, and counts its energy."""

    def __init__(self, score: str, goal: float, better: str, interrupted: Interruptible) -> None:
        self.score, self.goal, self.better, self.interrupted = score, goal, better, interrupted
        self.joules: float | None = None
        self._began: float | None = None

    @hookimpl
    def ganzoo_run_started(self, step: int) -> None:
        self._began = joules() if step == 0 else None

    @hookimpl
    def ganzoo_logged(self, values: Mapping[str, float]) -> None:
        now = joules()
        self.joules = None if now is None or self._began is None or now < self._began else now - self._began
        if SCORE + self.score in values and reaches(values[SCORE + self.score], self.goal, self.better):
            self.interrupted.why = self.interrupted.why or UNTIL


def goal_of(text: str) -> tuple[str, float]:
    """``"confident=0.8"`` is ("confident", 0.8). Raises: UsageError."""
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise UsageError(f"--until takes a score and its value, such as confident=0.8, not {text!r}.") from None


def reaches(value: float, goal: float, better: str) -> bool:
    return value >= goal if better == "larger" else value <= goal


def joules(root: Path = Path("/sys/class/powercap")) -> float | None:
    """Energy that the processors took since some moment; None where Linux's counters are not there or not readable."""
    try:
        counted = [int((each / "energy_uj").read_text()) for each in root.glob("*-rapl:*") if each.name.count(":") == 1]
    except (OSError, ValueError):
        return None
    return sum(counted) / 1e6 if counted else None


def version(run: Run) -> str:
    """ganzoo's version, and the commit where it runs from a checkout."""
    folder = Path(__file__).parents[2]
    if not (folder / "pyproject.toml").exists():
        return run.header.ganzoo
    try:
        said = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        )
    except OSError:
        return run.header.ganzoo
    return f"{run.header.ganzoo} {said.stdout.strip()}".rstrip()


def machine(run: Run) -> str:
    """The device and the threads that a run was trained with."""
    environment = run.header.environment
    if environment.device != "cpu":
        return environment.device_name
    cpus, threads = Path("/proc/cpuinfo"), environment.threads
    text = cpus.read_text(encoding="utf-8", errors="replace") if cpus.exists() else ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"{named[1] if named else environment.device_name}, {threads} thread{'' if threads == 1 else 's'}"


def command(architecture: str, dataset: str, until: str, given: Mapping[str, Any]) -> str:
    """What one would type."""
    words: list[str] = ["ganzoo", "bench", architecture, "--on", dataset, "--until", until]
    for name, value in given.items():
        if value is not None:
            words += flag(name.replace("_", "-"), value)
    return shlex.join(words)


def flag(name: str, value: Any) -> Iterable[str]:
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", typed(value)]
