"""`--deterministic`: torch takes only algorithms that give the same each time, and the run keeps it."""

from __future__ import annotations

import os

import pytest
import torch
from support.command_line import cli
from tinyzoo.model import TinyGAN

import ganzoo
from ganzoo.errors import GanzooError


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))


def seen_while_training(monkeypatch) -> list[tuple[bool, str | None]]:
    """What each step finds torch told, and what CUDA would."""
    found = []
    step = TinyGAN.step

    def watched(self, batches, progress):
        found.append((torch.are_deterministic_algorithms_enabled(), os.environ.get("CUBLAS_WORKSPACE_CONFIG")))
        return step(self, batches, progress)

    monkeypatch.setattr(TinyGAN, "step", watched)
    return found


def test_it_holds_for_the_run_alone_and_is_recorded(train, monkeypatch):
    found = seen_while_training(monkeypatch)
    run = train(steps=1, deterministic=True)
    assert found[-1] == (True, ":4096:8")
    assert run.facts["settings"]["deterministic"] is True
    assert not torch.are_deterministic_algorithms_enabled()
    other = train("other", steps=1)
    assert found[-1][0] is False
    assert other.facts["settings"]["deterministic"] is False


def test_going_on_keeps_it_unless_it_is_said_anew(train, monkeypatch):
    run = train(steps=1)
    found = seen_while_training(monkeypatch)
    run = ganzoo.extend(run, steps=1, deterministic=True)
    assert found[-1][0] is True
    ganzoo.extend(run, steps=1)
    assert found[-1][0] is True
    assert cli("extend", run.path, "--steps", 1, "--no-deterministic").exit_code == 0
    assert found[-1][0] is False
    run = ganzoo.Run.open(run.path)
    run.change(status="interrupted")
    run.write()
    assert cli("resume", run.path, "--deterministic").exit_code == 0
    assert ganzoo.Run.open(run.path).header.settings.deterministic is True


def test_what_has_no_such_algorithm_is_a_sentence(train, monkeypatch):
    """`put_` has none on any device."""
    step = TinyGAN.step

    def putting(self, batches, progress):
        torch.zeros(3).put_(torch.tensor([0]), torch.tensor([1.0]))
        return step(self, batches, progress)

    monkeypatch.setattr(TinyGAN, "step", putting)
    with pytest.raises(GanzooError, match=r"no algorithm for put_ on this device .* leave out --deterministic"):
        train(steps=1, deterministic=True)
    assert not torch.are_deterministic_algorithms_enabled()
    train("plain", steps=1)
