"""Kills real trainings at random moments and resumes them: `PYTHONPATH=tests python -m support.kills --kills 100`.

Every run that was killed must end with the files of one that was left alone: models, checkpoints, sheets and
train.log to the byte, metrics.jsonl but for speeds, run.json but for times. docs/reliability.md has what it found.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TRAIN = (
    "train", "gan", "points", "--steps", "120", "--checkpoint-every", "9", "--sample-every", "30", "--device", "cpu",
)  # fmt: skip
TIMED = {"images_per_second", "seconds", "started", "ended", "process", "environment"}


def ganzoo(*words: str) -> subprocess.Popen[bytes]:
    """A command in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "ganzoo", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


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


def undisturbed(folder: Path) -> tuple[dict[str, Any], float]:
    """What a run is that nobody kills, and how long its process takes."""
    begin = time.monotonic()
    process = ganzoo(*TRAIN, "--out", str(folder))
    said, _ = process.communicate()
    assert process.returncode == 0, said.decode()
    return content(folder), time.monotonic() - begin


def kill_and_resume(folder: Path, chance: random.Random, most: int, takes: float) -> int:
    """Trains a run, killed up to `most` times at any moment of its process's life; returns how often it was.

    The same command begins it anew where it was killed before there was a run.
    """
    kills = 0
    while True:
        process = ganzoo(*TRAIN, "--out", str(folder), "--continue")
        try:
            said, _ = process.communicate(timeout=_moment(folder, process, chance, takes) if kills < most else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0, said.decode()
        return kills


def _moment(folder: Path, process: subprocess.Popen[bytes], chance: random.Random, takes: float) -> float:
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
    asked = options.parse_args()
    chance, kills, runs, wrong = random.Random(asked.seed), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        whole, takes = undisturbed(Path(folder, "whole"))
        print(f"A run that is left alone takes {takes:.0f} s and leaves {len(whole)} files.", flush=True)
        while kills < asked.kills:
            run = Path(folder, f"run-{runs}")
            kills += kill_and_resume(run, chance, min(6, asked.kills - kills), takes)
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
