"""Several processes train as one."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
import torch

import ganzoo
from ganzoo import Run
from ganzoo.errors import GanzooError
from ganzoo.runs import checkpoint


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
    run = ganzoo.extend(run, steps=2, display=ganzoo.loop.display.Display())
    one, two = (checkpoint.load(each.checkpoints()[-1])[0] for each in (whole, run))
    for name in one:
        assert torch.allclose(one[name].double(), two[name].double(), rtol=1e-4, atol=1e-6), name


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send")
def test_ctrl_c_reaches_all_processes_once_and_they_save(train, tmp_path):
    run = tmp_path / "run"

    def interrupt() -> None:
        while not (run / "train.log").exists() or not (run / "train.log").stat().st_size:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(ganzoo.Stopped, match="ganzoo resume"):
        train(steps=100_000, batch_size=8, out=run, processes=2)
    stopped = Run.open(run)
    assert stopped.status == "interrupted"
    assert ganzoo.load(run).facts["step"] == checkpoint.read_facts(stopped.checkpoints()[-1])["counters"]["step"] > 0


def test_what_goes_wrong_in_a_process_is_said_once(train, capfd):
    with pytest.raises(GanzooError, match=r"NaN .*stopped"):
        train(architecture="faultygan", at=2, steps=12, checkpoint_every=2, processes=2, out="run")
    assert "Traceback" not in capfd.readouterr().err
    assert Run.open("run").status == "failed"
    assert [file.name for file in Path("run/checkpoints").iterdir()] == ["step-00000002.safetensors"]
