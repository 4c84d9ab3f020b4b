"""Tells Trackio of a run."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ganzoo.api import Run, TrainingWarning, hookimpl, need, option


@dataclass
class Trackio:
    """A run of a project there for each run here; a resumed run goes on in the same one."""

    project: str = option("ganzoo", "where the run goes")
    space: str | None = option(None, "a Space of Hugging Face, USER/NAME; default: on this machine")

    def __post_init__(self) -> None:
        self._trackio = need("trackio", "trackio", "--log trackio", "trackio")

    @hookimpl
    def ganzoo_run_started(self, run: Run, step: int) -> None:
        config = {name: value for name, value in run.hyperparameters.items() if value is not None}
        self._step = step
        with contextlib.redirect_stdout(io.StringIO()):  # it says in many lines what `address` says in one
            self._run = self._trackio.init(
                project=self.project, name=run.name, space_id=self.space, config=config, resume="allow", embed=False
            )
        here = f"trackio show --project {self.project}"
        self.address = f"https://huggingface.co/spaces/{self.space}" if self.space else here

    @hookimpl
    def ganzoo_logged(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    @hookimpl
    def ganzoo_sampled(self, step: int, image: Path) -> None:
        self._run.log({"samples": self._trackio.Image(str(image))}, step=step)

    @hookimpl
    def ganzoo_warned(self, step: int, warning: TrainingWarning) -> None:
        self._run.alert(f"{warning.kind} at step {step:,}", str(warning), step=step)

    @hookimpl
    def ganzoo_run_ended(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            self._run.finish()
