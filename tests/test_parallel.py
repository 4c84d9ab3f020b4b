"""Several processes train as one."""

from __future__ import annotations

import torch

import ganzoo
from ganzoo import checkpoint


def test_two_processes_equal_one(train, tmp_path):
    runs = [train(steps=3, batch_size=8, checkpoint_every=3, out=tmp_path / f"of-{n}", processes=n) for n in (1, 2)]
    assert [run.status for run in runs] == ["finished", "finished"]
    one, two = (checkpoint.load(run.checkpoints()[-1])[0] for run in runs)
    assert set(one) == set(two)
    for name in one:
        assert torch.allclose(one[name].double(), two[name].double(), rtol=1e-4, atol=1e-6), name
    rows = [list(run.metrics())[-1] for run in runs]
    assert abs(rows[0]["loss/D"] - rows[1]["loss/D"]) < 1e-5


def test_two_processes_resume_what_one_began(train, tmp_path):
    whole = train(steps=4, batch_size=8, checkpoint_every=2, out=tmp_path / "whole")
    run = train(steps=2, batch_size=8, out=tmp_path / "half", processes=2)
    run = ganzoo.extend(run, steps=2, display=ganzoo.display.Display())
    one, two = (checkpoint.load(each.checkpoints()[-1])[0] for each in (whole, run))
    for name in one:
        assert torch.allclose(one[name].double(), two[name].double(), rtol=1e-4, atol=1e-6), name
