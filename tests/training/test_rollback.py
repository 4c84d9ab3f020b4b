"""Losses that diverge: a run stops, goes on, or goes back to a checkpoint; a resumed one still equals one that never
stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from support.runs import At, assert_same_end, interrupt
from tinyzoo.model import FaultyGAN

import ganzoo
from ganzoo import Run
from ganzoo.contract.randomness import derive
from ganzoo.errors import GanzooError
from ganzoo.loop.display import Display
from ganzoo.training.facts import plan_of

QUIET = Display()
WHOLE = {"architecture": "faultygan", "at": 5, "checkpoint_every": 2, "on_divergence": "rollback"}


@pytest.fixture
def once(monkeypatch):
    """FaultyGAN's fault depends on what the step draws, so that another seed is without it."""
    step = FaultyGAN.step

    def unlucky(self, batches, progress):
        at = progress.step if torch.initial_seed() == derive(0, "step", 5) else -1
        self.config = type(self.config)(**{**vars(self.config), "at": at})
        return step(self, batches, progress)

    monkeypatch.setattr(FaultyGAN, "step", unlucky)


def stages(run: Run) -> list[str]:
    return [str(stage) for stage in run.header.stages]


def test_a_rollback_is_a_stage_of_its_own(train, once):
    run = train(**WHOLE, steps=12)
    assert stages(run) == ["12 steps", "again from step 4, seed + 1, rates × 0.5"]
    assert run.status == "finished"
    assert run.checkpoints()[-1].name == "step-00000012.safetensors"
    assert plan_of(run).rate_at(1) == 0.5
    [warning] = run.warnings()
    assert warning["kind"] == "rollback"
    assert warning["step"] == 4
    assert "NaN or infinite by step 6" in warning["text"]
    assert warning["text"] in (run.path / "train.log").read_text()
    assert [row["step"] for row in run.metrics() if "loss/D" in row] == sorted(
        {row["step"] for row in run.metrics() if "loss/D" in row}
    ), "nothing of what diverged is left"


@pytest.mark.parametrize("step", [5, 9], ids=["before its first checkpoint", "later"])
def test_a_resumed_run_equals_one_that_never_stopped(train, once, tmp_path, step):
    """Killed after the rollback: what lies in the folder at that moment is taken up elsewhere."""
    seen: list[int] = []

    def keep():
        seen.append(step)
        if len(seen) == (2 if step == 5 else 1):  # step 5 is trained twice
            shutil.copytree("run", "killed")

    whole = train(**WHOLE, steps=12, display=At(step, keep))
    killed = ganzoo.resume("killed", force=True, display=QUIET)
    assert_same_end(killed, whole)
    assert stages(killed) == stages(whole)
    for name in ("train.log", "warnings.jsonl"):
        assert (killed.path / name).read_text() == (whole.path / name).read_text()


def test_ctrl_c_after_a_rollback(train, once):
    whole = train("whole", **WHOLE, epochs=5)
    with pytest.raises(ganzoo.Stopped):
        train(**WHOLE, epochs=5, display=At(7, interrupt))
    assert_same_end(ganzoo.resume("run", display=QUIET), whole)


def test_a_later_stage_goes_back_to_its_own_start(train, once, tmp_path):
    text = "architecture = 'faultygan'\ndata = 'tiny'\nstages = [{steps = 4}, {steps = 8, lr = 1e-3}, {steps = 2}]"
    (tmp_path / "three.toml").write_text(text)
    run = train(**{**WHOLE, "architecture": None}, data=None, recipe="three.toml")
    assert stages(run) == ["4 steps", "8 steps, lr 0.001", "again from step 4, seed + 1, rates × 0.5", "2 steps"]
    assert run.checkpoints()[-1].name == "step-00000014.safetensors"
    plan = plan_of(run)
    assert [plan.at_stage(k)[0].lr for k in range(4)][1:] == [1e-3] * 3
    assert [plan.rate_at(k) for k in range(4)] == [1, 1, 0.5, 0.5]


def test_three_at_most(train):
    with pytest.raises(GanzooError, match=r"NaN .*could not help: it was rolled back 3 times"):
        train(**WHOLE, steps=12)
    run = Run.open("run")
    assert [stage.rollback.seed for stage in run.header.stages[1:]] == [1, 2, 3]
    assert run.status == "failed"
    assert json.loads((run.path / "run.json").read_text())["stages"][1]["rollback"]["step"] == 4


def test_without_a_checkpoint_there_is_nowhere_to_go(train):
    with pytest.raises(GanzooError, match=r"there is no checkpoint from before; .* --checkpoint-every") as told:
        train(**{**WHOLE, "at": 0}, steps=12)
    assert str(told.value).count("rollback") == 1, "what was asked for is not advised"


@pytest.mark.parametrize("policy", ["stop", "continue"])
def test_what_is_not_finite_stops_whatever_is_asked(train, policy):
    with pytest.raises(GanzooError, match=r"NaN .*training stopped.*--on-divergence rollback"):
        train(**{**WHOLE, "on_divergence": policy}, steps=12)


# ---- finite, but without bound -------------------------------------------------------------------------------------

WILD = {"architecture": "faultygan", "at": 99, "steps": 60, "checkpoint_every": 8, "sample_every": 100}


@pytest.fixture
def wild(monkeypatch):
    """FaultyGAN's loss is 1,000 times larger each step from step 12 on, unless the seed is another."""
    step = FaultyGAN.step

    def growing(self, batches, progress):
        for update in step(self, batches, progress):
            if progress.step >= 12 and torch.initial_seed() == derive(0, "step", progress.step):
                update.terms["fault"] = 0 * next(self.G.parameters()).sum() + 1e4 * progress.step
            yield update

    monkeypatch.setattr(FaultyGAN, "step", growing)


def test_losses_without_bound_stop_a_run(train, wild):
    with pytest.raises(GanzooError, match=r"The losses diverge: loss/D is .* Training stopped; --on-divergence rollb"):
        train(**WILD)
    run = Run.open("run")
    assert [warning["kind"] for warning in run.warnings()] == ["divergence"]
    assert f"Warning at step {next(run.warnings())['step']}: The losses" in (run.path / "train.log").read_text()
    assert ganzoo.resume("run", on_divergence="continue", display=QUIET).status == "finished"


def test_on_divergence_continue_only_warns(train, wild):
    run = train(**WILD, on_divergence="continue")
    assert run.status == "finished"
    assert [warning["kind"] for warning in run.warnings()] == ["divergence"]


def test_a_checkpoint_whose_losses_are_out_of_bounds_is_passed_over(train, wild):
    run = train(**WILD, on_divergence="rollback", checkpoints=9)
    assert stages(run) == ["60 steps", "again from step 8, seed + 1, rates × 0.5"]
    assert [warning["kind"] for warning in run.warnings()] == ["rollback"]
    assert run.status == "finished"


def test_a_warning_is_an_event(train, wild):
    train(**WILD, on_divergence="continue", log="tinylog")
    heard = [json.loads(line) for line in Path("run/heard.jsonl").read_text().splitlines()]
    [[_, (step, kind, text)]] = [row for row in heard if row[0] == "warned"]
    assert (kind, text[:18]) == ("divergence", "The losses diverge")
    assert 12 < step < 60
