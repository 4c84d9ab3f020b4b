"""Run events: who hears them, and that nobody who fails at it stops anything."""

from __future__ import annotations

import re
import sys

import pytest
from support.strangers import plugin  # noqa: F401

from ganzoo.catalogue.catalogue import Catalogue
from ganzoo.errors import Interrupted

EVENTS = """
from ganzoo.api import hookimpl
heard = []

@hookimpl
def ganzoo_run_started(run):
    heard.append("started")

@hookimpl
def ganzoo_logged(values):
    heard.append(values)
"""


@pytest.mark.parametrize("error", ["ValueError('full')", "KeyboardInterrupt", "SystemExit", "GeneratorExit"])
def test_a_logger_that_raises_is_reported_once_a_run_and_stops_nobody(install, error):
    install(EVENTS.replace("heard.append(values)", f"raise {error}"), "noisy")
    install(EVENTS.replace("heard.append(values)", "heard.append(dict(values)); values.clear()"), "quiet")
    catalogue, complaints = Catalogue(), []
    for run in (1, 2):
        catalogue.notify("ganzoo_run_started", complaints.append, run=run)
        for step in range(3):
            catalogue.notify("ganzoo_logged", complaints.append, run=run, step=step, values={"loss/D": 1.0})
        assert len(complaints) == run
    assert sys.modules["noisy_module"].heard == ["started"] * 2
    assert sys.modules["quiet_module"].heard == ["started", *[{"loss/D": 1.0}] * 3] * 2


def test_training_goes_on_beside_a_logger_that_raises(install, own_catalogue, train):
    from ganzoo.loop.display import Display

    install(EVENTS.replace("heard.append(values)", "raise ValueError('full')"), "noisy")
    install(EVENTS, "quiet")

    class Complaints(Display):
        def warn(self, text):
            said.append(text)

    said: list[str] = []
    run = train(steps=2, display=Complaints())
    assert run.facts["status"] == "finished"
    assert said == [
        "The plugin noisy of ganzoo-noisy 2.5 failed in ganzoo_logged "
        "(ValueError: full (noisy_module.py:11)); it is left out."
    ]
    assert len(sys.modules["quiet_module"].heard) >= 2


def test_what_a_listener_warns_of_is_a_warning_of_the_run(install, own_catalogue, train):
    warns = 'return [TrainingWarning("mine", f"{len(values)} values"), "no warning"] if heard[1:] == [] else None'
    source = EVENTS.replace("heard.append(values)", f"{warns}\n    heard.append(values)")
    install(source.replace("import hookimpl", "import TrainingWarning, hookimpl"), "careful")
    run = train(steps=2)
    said = [(warning["kind"], warning["text"].partition(" ")[2]) for warning in run.warnings()]
    assert said == [("mine", "values")] * len(said)
    assert said
    assert "Warning at step" in (run.path / "train.log").read_text(encoding="utf-8")


def test_a_second_ctrl_c_is_no_loggers_fault(install):
    from ganzoo.loop.interrupts import Interruptible

    install(EVENTS.replace('heard.append("started")', "import os, signal; os.kill(os.getpid(), signal.SIGINT)"))
    complaints: list[str] = []
    catalogue = Catalogue()
    with Interruptible(complaints.append) as interrupted:
        catalogue.notify("ganzoo_run_started", complaints.append, run="run", step=0)
        assert interrupted.asked
        with pytest.raises(Interrupted):
            catalogue.notify("ganzoo_run_started", complaints.append, run="run", step=0)
    assert len(complaints) == 1


def test_a_logger_that_changes_settings_is_undone(install):
    import torch

    source = EVENTS.replace("heard.append(values)", "import torch; torch.set_grad_enabled(False)")
    install(source)
    catalogue, complaints = Catalogue(), []
    catalogue.notify("ganzoo_logged", complaints.append, run="run", step=1, values={})
    assert torch.is_grad_enabled()
    assert re.match(r"The plugin stranger .*, in ganzoo_logged: it changes torch's defaults", complaints[0])


def test_loggers_are_told_in_the_order_that_they_ask_for(install):
    order: list[str] = []
    for name, options in (("a", "trylast=True"), ("b", ""), ("c", "tryfirst=True")):
        install(
            "from ganzoo.api import hookimpl\n"
            f"@hookimpl({options})\n"
            f"def ganzoo_run_ended(status):\n    status.append({name!r})\n",
            name,
        )
    Catalogue().notify("ganzoo_run_ended", pytest.fail, run="run", status=order)
    assert order == ["c", "b", "a"]


def test_each_event_can_be_traced(install, monkeypatch, capfd):
    monkeypatch.setenv("GANZOO_TRACE", "1")
    install(EVENTS.replace("heard.append(values)", "raise ValueError"))
    catalogue = Catalogue()
    catalogue.notify("ganzoo_run_started", pytest.fail, run="run", step=0)
    catalogue.notify("ganzoo_logged", str, run="run", step=1, values={})
    lines = [line for line in capfd.readouterr().err.splitlines() if "plugin stranger" in line]
    who = r"ganzoo: the plugin stranger of ganzoo-stranger 2\.5: "
    expected = ["import …", r"import took .* ms", "ganzoo_run_started …", "ganzoo_run_started took .* ms",
                "ganzoo_logged …", "ganzoo_logged failed after .* ms"]  # fmt: skip
    assert all(re.fullmatch(who + what, line) for what, line in zip(expected, lines, strict=True)), lines
