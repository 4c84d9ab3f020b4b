"""Tells TensorBoard of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import Image

from ganzoo.api import Run, TrainingWarning, hookimpl, need

FLUSH_SECONDS = 10  # at the most between an event and its being on the disk, for whoever watches


@dataclass
class TensorBoard:
    """Event files in ``RUN/tensorboard``, a new one each time that training begins or goes on."""

    def __post_init__(self) -> None:
        self._writers = need("torch.utils.tensorboard", "tensorboard", "--log tensorboard", "tensorboard")
        self._hparams = need(
            "tensorboard.plugins.hparams.summary_v2", "tensorboard", "--log tensorboard", "tensorboard"
        )

    @hookimpl
    def ganzoo_run_started(self, run: Run, step: int) -> None:
        # A killed run may have logged steps that it will come to again: TensorBoard is to forget them.
        self._writer = self._writers.SummaryWriter(
            str(run.path / "tensorboard"), purge_step=step + 1, flush_secs=FLUSH_SECONDS
        )
        self._step = step
        self.address = f"tensorboard --logdir {run.path / 'tensorboard'}"
        chosen = {name: _plain(value) for name, value in run.hyperparameters.items() if value is not None}
        self._writer.file_writer.add_summary(self._hparams.hparams_pb(chosen))

    @hookimpl
    def ganzoo_logged(self, step: int, values: Mapping[str, float]) -> None:
        self._step = step
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    @hookimpl
    def ganzoo_sampled(self, step: int, image: Path) -> None:
        with Image.open(image) as picture:
            self._writer.add_image("samples", numpy.asarray(picture.convert("RGB")), step, dataformats="HWC")

    @hookimpl
    def ganzoo_warned(self, step: int, warning: TrainingWarning) -> None:
        self._writer.add_text("warning", str(warning), step)

    @hookimpl
    def ganzoo_run_ended(self, status: str) -> None:
        self._writer.add_text("status", status, self._step)
        self._writer.close()


def _plain(value: object) -> object:
    """What the table of hyperparameters takes: a number, a truth or a text."""
    return value if isinstance(value, (bool, int, float, str)) else str(value)
