"""Runs that stop where a test wants them to, and two that ended alike."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import torch

from ganzoo import Run
from ganzoo.loop.display import Display
from ganzoo.runs import checkpoint


class At(Display):
    """Does something after a step."""

    def __init__(self, step: int, action) -> None:
        self.at, self.action = step, action

    def step(self, moment, values) -> None:
        if moment.step == self.at:
            self.action()


def edit(file: Path, **changes: object) -> None:
    """Writes other values into a run.json or classes.json, as by hand."""
    facts = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**facts, **changes}), encoding="utf-8")


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def assert_same_end(ours: Run, theirs: Run) -> None:
    """The same state to the last bit, the same model, the same metrics but for the speed."""
    assert [file.name for file in ours.checkpoints()][-1] == [file.name for file in theirs.checkpoints()][-1]
    (a, a_facts), (b, b_facts) = (checkpoint.load(run.checkpoints()[-1]) for run in (ours, theirs))
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []
    assert a_facts["counters"] == b_facts["counters"]
    a, b = (checkpoint.load(run.model_file)[0] for run in (ours, theirs))
    assert [name for name in a if not torch.equal(a[name], b[name])] == []
    timed = ("images_per_second", "seconds")
    a, b = ([{k: v for k, v in row.items() if k not in timed} for row in run.metrics()] for run in (ours, theirs))
    assert a == b


class StopsAt(Display):
    """Ctrl-C, once a given label has done a given step."""

    def __init__(self, label: str, step: int) -> None:
        self.label, self.at, self.heard = label, step, ""

    def say(self, text: str) -> None:
        self.heard = text.split()[1].rstrip(",") if text.startswith("Label ") else self.heard

    def step(self, moment, values) -> None:
        if (self.heard, moment.step) == (self.label, self.at):
            signal.raise_signal(signal.SIGINT)
