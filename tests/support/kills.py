"""Kills real trainings at random moments and resumes them: `PYTHONPATH=tests python -m support.kills --kills 100`.

Every run that was killed must end with the files of one that was left alone: models, checkpoints, sheets and
train.log to the byte, metrics.jsonl but for speeds, run.json but for times. docs/reliability.md has what it found.
With `--forked` each process is forked from one that has imported torch: the same, in a tenth of the time, but that no
kill comes while Python imports, when there is nothing yet to lose.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ganzoo.cli import main as main_of_ganzoo

TRAIN = (
    "train", "gan", "points", "--steps", "120", "--checkpoint-every", "9", "--sample-every", "30", "--device", "cpu",
)  # fmt: skip
TIMED = {"images_per_second", "seconds", "started", "ended", "process", "environment"}


class Process(Protocol):
    """What is used here of `subprocess.Popen`."""

    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def kill(self) -> None: ...
    def communicate(self, *, timeout: float | None = None) -> tuple[bytes, Any]: ...


Start = Callable[..., Process]


def ganzoo(*words: str) -> Process:
    """A command in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "ganzoo", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


class Forked:
    """A command in a process of its own, forked from this one."""

    def __init__(self, *words: str) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self.returncode: int | None = None
        self._pid = os.fork()
        if self._pid == 0:
            code = 1
            try:
                os.dup2(self._said.fileno(), 1)
                os.dup2(self._said.fileno(), 2)
                sys.argv = ["ganzoo", *words]
                main_of_ganzoo()
                code = 0
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
            finally:
                sys.stdout.flush()
                os._exit(code)

    def poll(self) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self._pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self._pid, signal.SIGKILL)

    def communicate(self, *, timeout: float | None = None) -> tuple[bytes, None]:
        end = time.monotonic() + (math.inf if timeout is None else timeout)
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("ganzoo", timeout or 0)
            time.sleep(0.005)
        self._said.seek(0)
        return self._said.read(), None


def content(run: Path) -> dict[str, Any]:
    """All that two equal runs have in common, by file."""
    found: dict[str, Any] = {}
    for file in sorted(file for file in run.rglob("*") if file.is_file()):
        name = str(file.relative_to(run))
        if name in ("lock", "losses.png"):  # the curves' title has the folder's name
            continue
        if name in ("metrics.jsonl", "run.json"):
            text = file.read_text(encoding="utf-8")
            rows = [json.loads(line) for line in text.splitlines()] if name != "run.json" else [json.loads(text)]
            found[name] = [{key: value for key, value in row.items() if key not in TIMED} for row in rows]
        else:
            found[name] = file.read_bytes()
    return found


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Names of files that only one has, or that differ."""
    return sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))


def undisturbed(folder: Path, start: Start = ganzoo) -> tuple[dict[str, Any], float]:
    """What a run is that nobody kills, and how long its process takes."""
    begin = time.monotonic()
    process = start(*TRAIN, "--out", str(folder))
    said, _ = process.communicate()
    assert process.returncode == 0, said.decode()
    return content(folder), time.monotonic() - begin


def kill_and_resume(folder: Path, chance: random.Random, most: int, takes: float, start: Start = ganzoo) -> int:
    """Trains a run, killed up to `most` times at any moment of its process's life; returns how often it was.

    The same command begins it anew where it was killed before there was a run.
    """
    kills = 0
    while True:
        process = start(*TRAIN, "--out", str(folder), "--continue")
        try:
            said, _ = process.communicate(timeout=_moment(folder, process, chance, takes) if kills < most else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0, said.decode()
        return kills


def _moment(folder: Path, process: Process, chance: random.Random, takes: float) -> float:
    """Seconds to wait for the kill: one in four at any moment, the others soon after training wrote again."""
    if chance.random() < 0.25:
        return chance.uniform(0, takes)
    log = folder / "metrics.jsonl"
    before = log.stat().st_mtime_ns if log.exists() else 0
    while process.poll() is None and (not log.exists() or log.stat().st_mtime_ns == before):
        time.sleep(0.01)
    return chance.uniform(0, 2)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--forked", action="store_true")
    asked = options.parse_args()
    start: Start = ganzoo
    if asked.forked:
        start = Forked
    chance, kills, runs, wrong = random.Random(asked.seed), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        whole, takes = undisturbed(Path(folder, "whole"), start)
        print(f"A run that is left alone takes {takes:.0f} s and leaves {len(whole)} files.", flush=True)
        while kills < asked.kills:
            run = Path(folder, f"run-{runs}")
            kills += kill_and_resume(run, chance, min(6, asked.kills - kills), takes, start)
            runs += 1
            unlike = differences(content(run), whole)
            wrong += bool(unlike)
            print(
                f"{kills} kills, {runs} runs" + (f": run {runs} differs in {', '.join(unlike)}" if unlike else ""),
                flush=True,
            )
    print(f"{kills} kills in {runs} runs; {runs - wrong} of {runs} ended as the run that was left alone.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
