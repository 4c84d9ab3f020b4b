"""In a notebook: errors in a sentence, a bound run after an interrupt, a live display, and what shows itself."""

from __future__ import annotations

import inspect
import sys
from io import BytesIO
from types import ModuleType

import pytest
from PIL import Image
from support.runs import interrupt

import ganzoo
from ganzoo.contract.options import options
from ganzoo.contract.settings import Settings
from ganzoo.errors import GanzooError, UsageError, in_python
from ganzoo.gan.two_player import ConditionalConfig
from ganzoo.loop.display import Display
from ganzoo.loop.trainer import Trainer
from ganzoo.training.options import TrainOptions

OPTIONS = {"epochs": 2, "samples": 4, "device": "cpu"}


class Handle:
    def __init__(self, pages):
        self.pages = pages

    def update(self, page):
        self.pages.append(page)


@pytest.fixture
def pages(monkeypatch):
    """IPython as far as ganzoo uses it; what it is told to show."""
    shown: list[str] = []
    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = object  # type: ignore[attr-defined]
    ipython.version_info = (9, 0)  # type: ignore[attr-defined]  # matplotlib asks for it
    display.HTML = str  # type: ignore[attr-defined]

    def show(page, display_id):
        shown.append(page)
        return Handle(shown)

    display.display = show  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return shown


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C in the second step, once."""
    step, steps = Trainer.step, []

    def stopping(trainer):
        steps.append(trainer)
        if len(steps) == 2:
            interrupt()
        return step(trainer)

    monkeypatch.setattr(Trainer, "step", stopping)


@pytest.mark.parametrize(
    ("said", "python"),
    [
        ("use --batch-size 40 or less.", "use batch_size=40 or less."),
        ("choose another --out, or add --continue.", "choose another out, or add go_on=True."),
        ("try a smaller --lr, another --loss or --precision fp32", "try a smaller lr, another loss or precision fp32"),
        ("none; `ganzoo runs` lists those there are.", "none; `ganzoo.list_runs()` lists those there are."),
        ("Go on with: ganzoo resume runs/a-1", 'Go on with: ganzoo.resume("runs/a-1")'),
        ("Say it, such as `ganzoo train dcgan anime`.", 'Say it, such as `ganzoo.train("dcgan", "anime")`.'),
        ("Add it: `ganzoo data add x FOLDER --fit crop`.", "Add it: `!ganzoo data add x FOLDER --fit crop`."),
        ("A dash -- and a--b stay.", "A dash -- and a--b stay."),
    ],
)
def test_an_error_speaks_of_pythons_names(said, python):
    assert in_python(said) == python


def test_an_error_is_one_line_in_a_notebook(monkeypatch):
    assert UsageError("Leave out --label.")._render_traceback_() == ["UsageError: Leave out label."]
    monkeypatch.setenv("GANZOO_DEBUG", "1")
    assert "GanzooError: a" in "".join(GanzooError("a")._render_traceback_())


def test_training_shows_itself(pages, tmp_path):
    run = ganzoo.train("tinygan", "tiny", out=tmp_path / "run", **OPTIONS)
    assert run.status == "finished"
    assert "<progress" in pages[-1]
    assert "step 6" in pages[-1]
    assert pages[-1].count("data:image/webp") == 2  # the newest sheet, and the curves


def test_an_interrupt_leaves_the_run(pages, interrupted, tmp_path, capsys):
    run = ganzoo.train("tinygan", "tiny", out=tmp_path / "run", **OPTIONS)
    assert run.status == "interrupted"
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == f'Stopped and saved after Ctrl-C. Go on with: ganzoo.resume("{run.path.as_posix()}")'
    assert ganzoo.resume(run).status == "finished"


def test_plain_python_hears_of_the_interrupt(interrupted, tmp_path):
    with pytest.raises(ganzoo.Stopped) as stopped:
        ganzoo.train("tinygan", "tiny", out=tmp_path / "run", display=Display(), **OPTIONS)
    assert stopped.value.run.status == "interrupted"


def test_runs_and_models_show_themselves(finished):
    page = finished._repr_html_()
    assert "tinygan on tiny" in page
    assert "finished" in page
    assert "data:image/webp" in page
    model = ganzoo.load(finished.path)
    with Image.open(BytesIO(model._repr_png_())) as sheet:
        assert sheet.width > 16 * 4 * 8
    first, second = model.sample(2, seed=1, as_="pil")
    assert (first.mode, first.size) == ("RGB", (8, 8))
    assert first.tobytes() == ganzoo.sheet(model.sample(1, seed=1), gap=0, scale=1).tobytes()
    assert first.tobytes() != second.tobytes()
    with pytest.raises(UsageError, match="unknown for images"):
        model.sample(1, as_="png")


def test_training_completes_its_options():
    known = {*options(Settings), *options(ConditionalConfig)}
    assert TrainOptions.__annotations__.keys() == known, "an option is new or gone: change TrainOptions"
    assert known <= set(inspect.signature(ganzoo.train).parameters)


def test_help_begins_with_what_users_need():
    for name in ("train", "resume", "load", "sheet", "list_runs", "Run", "compare"):
        assert name in ganzoo.__doc__
