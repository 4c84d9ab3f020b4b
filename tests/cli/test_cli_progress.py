"""The progress display, on a terminal that is only in memory."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from ganzoo.cli.progress import TerminalDisplay, choose_display, columns_of
from ganzoo.loop.display import Lines, Moment

VALUES = {
    "loss/D": 1.42321,
    "loss/D/r1": 0.2,
    "loss/G": 4.76554,
    "D(x)": 0.63761,
    "D(G(z))": 0.34539,
    "D(G(z)) after": 0.0244,
}


class Clock:
    """Time that passes when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def display(clock: Clock) -> TerminalDisplay:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None, markup=False)
    return TerminalDisplay(console, clock)


def screen(display: TerminalDisplay) -> str:
    """What stands on the terminal now, without what was said before."""
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(display.picture())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(len(line) <= 80 for line in text.splitlines())
    return str(text)


def written(display: TerminalDisplay) -> str:
    return str(display.console.file.getvalue())  # type: ignore[attr-defined]


def moment(step: int, speed: float | None = None, stages: int = 1) -> Moment:
    return Moment(1, stages, step, 0, 200, step // 50, 4, speed)


def test_it_shows_where_training_is(display: TerminalDisplay, clock: Clock) -> None:
    for step in range(1, 61):
        clock.now += 2.0
        display.step(moment(step, 64.2), VALUES)
    text = screen(display)
    assert "Epoch 2 of 4" in text
    assert "64 images/s, 5 minutes left" in text
    assert "60 of 200 steps" in text
    names, numbers = text.rstrip().splitlines()[-2:]
    assert names.split("   ")[0] == "loss D"
    assert numbers.split() == ["1.4232", "4.7655", "0.6376", "0.3454", "/", "0.0244"]
    assert "in this stage" not in text
    display.step(moment(61, stages=3), None)
    assert "Stage 1 of 3, epoch 2 of 4" in screen(display)
    assert "left in this stage" in screen(display)
    display.close()


def test_many_losses_take_more_rows(display: TerminalDisplay) -> None:
    many = {f"loss/G.{a}{b}": -1234.5678 for a in "ABC" for b in "ABC"}
    display.step(moment(1), many)
    assert screen(display).count("-1234.5678") == 9
    display.close()


def test_it_is_redrawn_only_so_often(display: TerminalDisplay, clock: Clock) -> None:
    display.step(moment(1), VALUES)
    before = len(written(display))
    for step in range(2, 20):
        clock.now += 0.01
        display.step(moment(step), VALUES)
    assert len(written(display)) == before
    clock.now += 1
    display.step(moment(20), VALUES)
    assert len(written(display)) > before
    display.close()


def test_what_is_said_stays_and_lines_are_not_shown(display: TerminalDisplay) -> None:
    display.say("DCGAN on [anime]")
    display.step(moment(1), VALUES)
    display.warn("a plugin failed")
    display.line("[0/4][0/50] Loss_D: 1.4232")
    display.close()
    display.close()
    text = written(display)
    assert "DCGAN on [anime]" in text
    assert "Warning: a plugin failed" in text
    assert "Loss_D" not in text
    assert text.endswith("\x1b[?25h")  # the cursor is back


def test_preparing_data(display: TerminalDisplay) -> None:
    display.report("Reading", 10, 40)
    assert "25 %" in screen(display)
    display.report("Reading", 40, 40)
    display.report("Downloading faces.zip", 2_000_000, 0)
    assert screen(display).strip() == "Downloading faces.zip: 2,000,000"
    display.report("Waiting for another download of faces.zip", 0, 0)
    assert screen(display).strip() == "Waiting for another download of faces.zip …"
    display.close()
    assert "Reading: done." in written(display)


def test_columns() -> None:
    assert columns_of(VALUES) == [
        ("loss D", "1.4232"),
        ("loss G", "4.7655"),
        ("D(x)", "0.6376"),
        ("D(G(z))", "0.3454 / 0.0244"),
    ]
    assert columns_of({"D(x)": 0.5, "gradient/G.AB": 1.26e-9}) == [("D(x)", "0.5000"), ("gradient G.AB", "1.3e-09")]


def test_which_display(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert isinstance(choose_display(), TerminalDisplay)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(choose_display(), Lines)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert isinstance(choose_display(), Lines)


def test_a_training_on_a_terminal(display: TerminalDisplay, tmp_path: Path) -> None:
    import ganzoo

    ganzoo.train("tinygan", "tiny", steps=3, out=tmp_path / "run", samples=4, device="cpu", display=display)
    assert "3 of 3 steps" in written(display)
    assert "Loss_D" not in written(display)
    assert "Loss_D" in (tmp_path / "run" / "train.log").read_text(encoding="utf-8")
