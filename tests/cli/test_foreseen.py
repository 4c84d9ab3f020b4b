"""Many samples: what they take is said before they are made, and refused where it cannot be held."""

from __future__ import annotations

import re
from collections import namedtuple
from pathlib import Path

import pytest
from support.command_line import cli, refusal

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def run(train, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("ganzoo.model.model.BATCH", 8)
    return str(train().path)


def left(monkeypatch: pytest.MonkeyPatch, disk: int = 10**12, memory: int = 10**12) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda place: Usage(disk, 0, disk))
    monkeypatch.setattr("ganzoo.files.free_memory", lambda: memory)


def test_what_takes_long_or_much_is_said_first(run, monkeypatch):
    left(monkeypatch)
    monkeypatch.setattr("ganzoo.cli.foreseen.LARGE", 1000)
    said = cli("sample", run, "-n", "40", "-o", "each")
    assert re.search(r"^40 images take about \d+ seconds? and \d+ MB of disk\.$", said.stderr, re.M)
    assert len(list(Path("each").iterdir())) == 40
    monkeypatch.setattr("ganzoo.cli.foreseen.LARGE", 10**9)
    assert "take about" not in cli("sample", run, "-n", "40", "-o", "again").stderr


def test_what_the_disk_cannot_hold_is_refused_before_a_file_is_written(run, monkeypatch):
    left(monkeypatch, disk=2000)
    line = refusal(cli("sample", run, "-n", "40", "-o", "each"))
    assert "40 images need about" in line
    assert "make room, choose another -o, or make fewer with -n." in line
    assert not Path("each").exists()
    assert cli("sample", run, "-n", "4", "-o", "few").exit_code == 0
    assert "of disk in all.npy" in refusal(cli("sample", run, "-n", "40", "-o", "all.npy"))


def test_what_memory_cannot_hold_at_once_is_refused_with_the_way_round(run, monkeypatch):
    left(monkeypatch, memory=2000)
    line = refusal(cli("sample", run, "-n", "40", "-o", "all.npy"))
    assert "40 images at once need about" in line
    assert "give -o a folder for a file of each, or make fewer with -n." in line
    assert cli("sample", run, "-n", "40", "-o", "each").exit_code == 0
