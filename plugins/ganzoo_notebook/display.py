"""What is otherwise in a notebook: training shows itself, and an interrupt leaves the run instead of an error."""

from __future__ import annotations

import functools
import html
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ganzoo.api import Display, Moment, Stopped, as_html, duration

REDRAW = 2.0  # seconds between two updates of what is shown


def shell() -> Any:
    """IPython's shell, which a notebook runs in; None in plain Python."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def at_home(train: Callable[..., Any]) -> Callable[..., Any]:
    """A function that trains, as a notebook wants it: with a live display, and after an interrupt the run is returned,
    so that the name it is given to is bound, with one sentence. In plain Python it is as it was.
    """

    @functools.wraps(train)
    def trained(*args: Any, **options: Any) -> Any:
        if shell() is None:
            return train(*args, **options)
        if options.get("display") is None:
            options["display"] = NotebookDisplay()
        try:
            return train(*args, **options)
        except Stopped as stopped:
            options["display"].close()
            if stopped.run is None:
                raise
            folder = stopped.run.path.as_posix()
            print(f'Stopped and saved after {stopped.why}. Go on with: ganzoo.{_resume(train)}("{folder}")')
            return stopped.run

    return trained


def _resume(train: Callable[..., Any]) -> str:
    kind = train.__name__.removeprefix("train").removeprefix("resume").removeprefix("extend").removeprefix("sweep")
    return f"resume{'_sweep' if 'sweep' in train.__name__ else kind}"


class NotebookDisplay(Display):
    """The newest sheet and curves below a bar, in one place of the notebook that is drawn anew."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        from IPython.display import HTML, display

        self._html, self._show, self._clock = HTML, display, clock
        self._handle: Any = None
        self._drawn = self._began = -1e9
        self._folder: Path | None = None
        self._said: list[str] = []
        self._bar = self._numbers = ""
        self._pictures: dict[Path, tuple[float, str]] = {}
        self._first_step: int | None = None

    def begin(self, folder: Path) -> None:
        self._folder, self._first_step = folder, None

    def say(self, text: str) -> None:
        self._said = [*self._said[-5:], html.escape(text)]
        self._draw(at_once=True)

    def warn(self, text: str) -> None:
        self._said = [*self._said[-5:], f'<b style="color:#b45309">Warning: {html.escape(text)}</b>']
        self._draw(at_once=True)

    def report(self, what: str, done: int, total: int) -> None:
        self._bar = _progress(f"{html.escape(what)}: {done:,}" + (f" of {total:,}" if total else ""), done, total)
        self._draw(at_once=done >= total > 0)

    def step(self, moment: Moment, values: Mapping[str, float] | None) -> None:
        if self._first_step is None:
            self._first_step, self._began = moment.step, self._clock()
        pace = (self._clock() - self._began) / max(1, moment.step - self._first_step)
        left = (moment.last_step - moment.step) * pace
        words = f"epoch {min(moment.epoch + 1, moment.epochs)} of {moment.epochs}, step {moment.step:,}"
        if moment.step > self._first_step and left > 0:
            words += f", about {duration(left)} left"
        if values:
            shown = [(name.replace("loss/", "loss "), value) for name, value in values.items() if name.count("/") < 2]
            self._numbers = " · ".join(f"{html.escape(name)} {value:.3f}" for name, value in shown[:8])
        done = moment.step - moment.first_step
        self._bar = _progress(words, done, moment.last_step - moment.first_step) + f"<small>{self._numbers}</small>"
        self._draw(at_once=moment.step >= moment.last_step)

    def close(self) -> None:
        self._draw(at_once=True)

    def _draw(self, at_once: bool = False) -> None:
        now = self._clock()
        if not at_once and now - self._drawn < REDRAW:
            return
        self._drawn = now
        page = self._html("<br>".join([*self._said, self._bar, *self._newest()]))
        if self._handle is None:
            self._handle = self._show(page, display_id=True)
        else:
            self._handle.update(page)

    def _newest(self) -> list[str]:
        """The newest sheet, and the curves, as far as there are any."""
        if self._folder is None:
            return []
        sheets = [file for kind in ("epoch", "step") for file in (self._folder / "samples").glob(f"{kind}-*.png")]
        newest = max(sheets, key=lambda file: file.stat().st_mtime, default=None)
        files = [file for file in (newest, self._folder / "losses.png") if file is not None and file.exists()]
        return [self._picture(file) for file in files]

    def _picture(self, file: Path) -> str:
        changed = file.stat().st_mtime
        if file not in self._pictures or self._pictures[file][0] != changed:
            self._pictures[file] = (changed, as_html(file))
        return self._pictures[file][1]


def _progress(words: str, done: int, total: int) -> str:
    bar = f'<progress value="{max(0, done)}" max="{total}" style="width:20em"></progress> ' if total > 0 else ""
    return f"<div>{bar}{words}</div>"
