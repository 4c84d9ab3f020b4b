"""The logger of Trackio, which is stood in for: its calls are those of trackio 0.43."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from ganzoo_trackio.logger import Trackio

from ganzoo.api import TrainingWarning
from ganzoo.errors import GanzooError


class Stand(SimpleNamespace):
    """A run of Trackio's that keeps what it is told."""

    def log(self, metrics, step=None):
        self.told.append(("log", metrics, step))

    def alert(self, title, text=None, level="warn", step=None):
        self.told.append(("alert", title, text, step))

    def finish(self):
        self.told.append(("finish",))


@pytest.fixture
def trackio(monkeypatch):
    stand = SimpleNamespace(told=[], Image=lambda path: f"image of {path}")

    def init(project, name=None, space_id=None, config=None, resume="never", embed=True):
        print("* Trackio project initialized: many lines")
        stand.told.append(("init", project, name, space_id, resume, embed, config["lr"]))
        return Stand(told=stand.told)

    stand.init = init
    monkeypatch.setitem(sys.modules, "trackio", stand)
    return stand


def test_it_is_told_of_a_run_and_says_one_line(trackio, finished, capsys):
    logger = Trackio(project="faces")
    logger.ganzoo_run_started(run=finished, step=0)
    logger.ganzoo_logged(step=10, values={"loss/D": 1.0})
    logger.ganzoo_sampled(step=10, image="sheet.png")
    logger.ganzoo_warned(step=10, warning=TrainingWarning("d-wins", "D wins: …"))
    logger.ganzoo_run_ended()
    assert trackio.told[0][:6] == ("init", "faces", finished.name, None, "allow", False)
    assert trackio.told[1:] == [
        ("log", {"loss/D": 1.0}, 10),
        ("log", {"samples": "image of sheet.png"}, 10),
        ("alert", "d-wins at step 10", "D wins: …", 10),
        ("finish",),
    ]
    assert logger.address == "trackio show --project faces"
    assert capsys.readouterr().out == ""


def test_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(GanzooError, match=r"ganzoo\[trackio\]"):
        Trackio()
