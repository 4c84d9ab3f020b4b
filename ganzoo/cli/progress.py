"""Training on a terminal: a calm display that is redrawn a few times a second at most."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any, TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ganzoo.cli.output import speed_text
from ganzoo.errors import escaped
from ganzoo.loop.display import Display, Lines, Moment, Outlook, duration

REDRAW = 0.4  # seconds between drawings
MEMORY = 0.95  # how much of the pace of the steps before a step keeps
WIDEST = 100  # columns; a longer bar says no more
NUMBER = len("-10.1234")  # characters that most numbers fit in


class Lasting:
    """A stream that may be written to when nobody is there to read: a terminal that was closed ends no training."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def choose_display() -> Display:
    """The display for standard output: redrawn on a terminal, plain lines elsewhere."""
    console = Console(file=cast(IO[str], Lasting(sys.stdout)), markup=False, highlight=False, emoji=False)
    if sys.stdout.isatty() and console.is_terminal and not console.is_dumb_terminal:
        return TerminalDisplay(console)
    return Lines()


class TerminalDisplay(Display):
    """Where training is, how fast it goes and the newest losses, below what was said so far.

    It is drawn from within `step` and `report`; there is no thread of its own that would slow training down.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = console
        self.clock = clock
        self._live: Live | None = None
        self._drawn = -math.inf
        self._task: tuple[str, int, int] | None = None
        self._moment: Moment | None = None
        self._values: Mapping[str, float] = {}
        self._speed: float | None = None
        self._pace: float | None = None  # seconds a step
        self._stepped: float | None = None  # when the step before ended
        self._until = Outlook(clock)

    # ---- what is told to it ------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        self.console.print(escaped(text))
        self._stepped = None  # what happened meanwhile was no step

    def warn(self, text: str) -> None:
        self.console.print(escaped(f"Warning: {text}"), style="yellow")

    def report(self, what: str, done: int, total: int) -> None:
        before = self._task
        self._task = (what, done, total)
        if before is None or before[0] != what:
            self._draw(at_once=True)
        elif done >= total > 0:
            self._task = None
            self._clear()
            self.console.print(f"{what}: done.")
        else:
            self._draw()

    def step(self, moment: Moment, values: Mapping[str, float] | None) -> None:
        now = self.clock()
        if self._stepped is not None:
            took = now - self._stepped
            self._pace = took if self._pace is None else MEMORY * self._pace + (1 - MEMORY) * took
        new_stage = self._moment is None or self._moment.stage != moment.stage
        self._stepped, self._moment, self._task = now, moment, None
        self._values = self._values if values is None else dict(values)
        self._speed = moment.images_per_second or self._speed
        self._draw(at_once=new_stage or moment.step >= moment.last_step)

    def close(self) -> None:
        if self._moment is None:
            self._clear()
        elif self._live is not None:
            self._draw(at_once=True)
            self._live.stop()
        self._live = self._moment = self._task = self._stepped = None

    # ---- what is drawn -----------------------------------------------------------------------------------------

    def _draw(self, at_once: bool = False) -> None:
        now = self.clock()
        if not at_once and now - self._drawn < REDRAW:
            return
        self._drawn = now
        if self._live is None:
            self._live = Live(console=self.console, auto_refresh=False)
            self._live.start()
        self._live.update(self.picture(), refresh=True)

    def _clear(self) -> None:
        """Takes away what is drawn; the lines above it stay."""
        if self._live is not None:
            self._live.transient = True
            self._live.stop()
            self._live = None

    def picture(self) -> RenderableType:
        """What stands on the screen now."""
        if self._task is not None:
            return self._bar(*self._task)
        return self._training(self._moment) if self._moment is not None else Text("")

    def _bar(self, what: str, done: int, total: int) -> RenderableType:
        if total <= 0:
            return Text(f"{what} …" if not done else f"{what}: {done:,}", overflow="ellipsis", no_wrap=True)
        return self._row(what, done, total, f"{100 * done // total:>3} %{self._until(what, done, total)}")

    def _training(self, moment: Moment) -> RenderableType:
        head = Table.grid(expand=True)
        head.add_column()
        head.add_column(justify="right")
        stage = f"Stage {moment.stage} of {moment.stages}, " if moment.stages > 1 else ""
        epoch = min(moment.epoch + 1, moment.epochs)
        head.add_row(
            Text(f"{stage}{'epoch' if stage else 'Epoch'} {epoch} of {moment.epochs}", style="bold"),
            self._outlook(moment),
        )
        done, total = moment.step - moment.first_step, max(1, moment.last_step - moment.first_step)
        bar = self._row("", done, total, f"{done:,} of {total:,} steps")
        head.width = self._width
        return Group(Text(""), head, bar, Text(""), *self._numbers())

    def _outlook(self, moment: Moment) -> str:
        """Such as ``118 images/s, 5 minutes left``."""
        parts = [] if self._speed is None else [speed_text(self._speed)]
        if moment.step >= moment.last_step:
            parts.append("done")
        elif self._pace is not None:
            left = duration(self._pace * (moment.last_step - moment.step))
            parts.append(f"{left} left" + (" in this stage" if moment.stages > 1 else ""))
        return ", ".join(parts)

    def _row(self, what: str, done: int, total: int, end: str) -> Table:
        """A bar with words before and behind it."""
        row = Table.grid(expand=True, padding=(0, 1, 0, 0))
        if what:
            row.add_column(max_width=self._width * 3 // 4, no_wrap=True, overflow="ellipsis")
        row.add_column(ratio=1)
        row.add_column(justify="right", no_wrap=True)
        row.add_row(
            *([what] if what else []),
            ProgressBar(total=total, completed=min(done, total), complete_style="cyan", finished_style="green"),
            end,
        )
        row.width = self._width
        return row

    def _numbers(self) -> list[RenderableType]:
        """Losses and watch values, name above number, in as many rows as the width needs."""
        rows: list[RenderableType] = []
        names = numbers = ""
        for name, number in columns_of(self._values):
            wide = max(len(name), len(number), NUMBER) + 3  # wide enough that nothing moves as the numbers change
            if names and len(names) + wide - 3 > self._width:
                rows += [Text(names.rstrip(), style="dim"), Text(numbers.rstrip())]
                names = numbers = ""
            names, numbers = f"{names}{name:<{wide}}", f"{numbers}{number:<{wide}}"
        return [*rows, Text(names.rstrip(), style="dim"), Text(numbers.rstrip()), Text("")] if names else rows

    @property
    def _width(self) -> int:
        return min(self.console.width, WIDEST)


def columns_of(values: Mapping[str, float]) -> list[tuple[str, str]]:
    """Name and number of what is shown: each player's loss, then the watch values with their "after" behind them,
    then the gradients' norms where they are logged.
    """
    from ganzoo.runs.curves import GRADIENT, is_loss, is_watch

    losses = [(f"loss {name[5:]}", f"{value:.4f}") for name, value in values.items() if is_loss(name)]
    watches = []
    for name, value in values.items():
        if is_watch(name) and not name.endswith(" after"):
            after = values.get(f"{name} after")
            watches.append((name, f"{value:.4f}" + ("" if after is None else f" / {after:.4f}")))
    norms = {name: value for name, value in values.items() if name.startswith(GRADIENT)}
    gradients = [(name.replace("/", " "), f"{value:.1e}") for name, value in norms.items()]
    return losses + watches + gradients
