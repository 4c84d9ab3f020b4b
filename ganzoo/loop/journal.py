"""What a run tells while it trains: rows, classic lines, warnings and events."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from ganzoo.catalogue.catalogue import catalogue
from ganzoo.contract import distributed
from ganzoo.contract.warning import TrainingWarning
from ganzoo.loop.display import Display, Moment
from ganzoo.loop.divergence import Divergence
from ganzoo.loop.record import Recorder, classic_line
from ganzoo.loop.trainer import Trainer
from ganzoo.runs.run import WARNINGS, Run


class Journal:
    """Tells the run's folder, its display and whoever listens; of several processes only the first tells anything."""

    def __init__(self, run: Run, display: Display) -> None:
        self.run, self.display, self.leader = run, display, distributed.is_leader()

    def open(self, recorder: Recorder) -> None:
        """Goes on after the rows that are there."""
        self._recorder, self._divergence, self._before = recorder, Divergence(), 0.0
        for row in self.run.metrics():
            self._divergence.hear(row)
            self._before = row.get("seconds", 0.0)

    def begin(self) -> None:
        """From here on time counts, after that of the rows."""
        self._began = time.monotonic() - self._before

    def seconds(self) -> float:
        """How long the run has trained, over all its processes' lives."""
        return round(time.monotonic() - self._began, 2)

    def row(self, trainer: Trainer, stage: int, values: Mapping[str, float]) -> str:
        """A row of metrics.jsonl, and what it gives reason to warn of. Returns: the words, where losses diverge."""
        if not self.leader:
            return ""
        step, values = trainer.step_count, {**values, "seconds": self.seconds()}
        self._recorder.record({"step": step, **values})
        diverged = self._divergence.hear({"step": step, **values})
        own = [TrainingWarning("divergence", diverged)] if diverged else []
        for warning in (*own, *self.notify("ganzoo_logged", run=self.run, step=step, values=values)):
            self.warn(trainer, stage, warning)
        return diverged

    def warn(self, trainer: Trainer, stage: int, warning: TrainingWarning) -> None:
        """A warning, in warnings.jsonl, in the log, on the display, and as an event."""
        if self.leader:
            step = trainer.step_count
            row = {"step": step, "images": trainer.images, "stage": stage, "kind": warning.kind, "text": warning.text}
            self._recorder.record(row, WARNINGS)
            self._recorder.log(f"Warning at step {step:,}: {warning.text}")
            self.display.warn(warning.text)
            self.notify("ganzoo_warned", run=self.run, step=step, warning=warning)

    def say(self, text: str) -> None:
        """A sentence, on the display and in train.log."""
        if self.leader:
            self._recorder.log(text)
        self.display.say(text)

    def line(self, trainer: Trainer, moment: Moment, epoch: int, iteration: int, read: dict[str, float]) -> None:
        """The classic line, in train.log and on the display; its epoch and iteration count from the stage's start.

        Args:
            epoch, iteration: of the step, counted from the run's start and from the epoch's.
            read: losses and watch values by name.
        """
        left = max(0, (epoch + 1) * len(trainer.loader) - trainer.images)
        iterations = iteration + 1 + math.ceil(left / trainer.images_per_step)
        first = trainer.extent.first_image // len(trainer.loader)
        line = classic_line(epoch - first, moment.epochs, iteration, iterations, read)
        if self.leader:
            self._recorder.log(line)
        self.display.line(line)

    def notify(self, event: str, **arguments: Any) -> list[TrainingWarning]:
        """Tells everyone who listens. Returns: what they warn of."""
        return catalogue().notify(event, self.display.warn, **arguments) if self.leader else []
