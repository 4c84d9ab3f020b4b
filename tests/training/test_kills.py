"""Real processes that are killed or hung up: the short form of `support.kills`."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.kills import TRAIN, content, differences, kill_and_resume, undisturbed

from ganzoo import Run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")


def test_a_run_killed_at_random_moments_ends_as_one_left_alone(tmp_path: Path) -> None:
    whole, takes = undisturbed(tmp_path / "whole")
    assert kill_and_resume(tmp_path / "run", random.Random(0), 2, takes) > 0
    assert differences(content(tmp_path / "run"), whole) == []


def test_a_hangup_ends_with_75(tmp_path: Path) -> None:
    words = [*TRAIN, "--out", str(tmp_path / "run")]
    process = subprocess.Popen([sys.executable, "-m", "ganzoo", *words], stdout=subprocess.DEVNULL)
    while process.poll() is None and not (tmp_path / "run" / "metrics.jsonl").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGHUP)
    assert process.wait() == 75
    assert Run.open(tmp_path / "run").status == "interrupted"
