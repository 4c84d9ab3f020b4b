"""Tells Weights & Biases of a run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ganzoo.api import GanzooError, Run, TrainingWarning, hookimpl, need, option, replaced

EXIT_CODES = {"finished": 0, "interrupted": 255}  # as wandb's own for a script that ends, or is stopped by Ctrl-C


@dataclass
class WeightsAndBiases:
    """A run there for each run here. Its id stays in ``RUN/wandb/id``: a resumed run goes on in the same one."""

    project: str | None = option(None, "where the run goes; default: WANDB_PROJECT, else ganzoo")
    entity: str | None = option(None, "whose project it is, a user or team; default: yours")
    mode: Literal["online", "offline"] | None = option(
        None, "offline: keep it in the run's folder, for `wandb sync`; default: WANDB_MODE, else online"
    )

    def __post_init__(self) -> None:
        self._wandb = need("wandb", "wandb", "--log wandb", "wandb")
        if (self.mode or self._wandb.setup().settings.mode) != "online":
            return
        try:
            known = self._wandb.login(verify=False)
        except self._wandb.errors.Error as error:
            known, reason = False, f" ({error})"
        else:
            reason = ""
        if not known:
            raise GanzooError(
                f"--log wandb has no account to log to{reason}; type `wandb login`, or keep the log in the run's "
                "folder with --log wandb:mode=offline"
            )

    @hookimpl
    def ganzoo_run_started(self, run: Run) -> None:
        kept = run.path / "wandb" / "id"
        self._run = self._wandb.init(
            project=self.project or os.environ.get("WANDB_PROJECT", "ganzoo"),
            entity=self.entity,
            name=run.name,
            id=kept.read_text(encoding="utf-8").strip() if kept.exists() else None,
            resume="allow",
            mode=self.mode,
            dir=str(run.path),
            config=run.hyperparameters,
            reinit="create_new",  # a run of the caller's own in the same notebook stays as it is
            # The display is not to be captured, nor written on: `address` is what there is to say.
            settings=self._wandb.Settings(console="off", silent=True),
        )
        # An offline run warns where it is asked for its address. Its `dir` is a folder in the one that is sent.
        sent_later = f"wandb sync {Path(self._run.dir).parent}"
        self.address = sent_later if self._run.offline else self._run.url or sent_later
        kept.parent.mkdir(exist_ok=True)
        with replaced(kept) as part:
            part.write_text(self._run.id + "\n", encoding="utf-8")

    @hookimpl
    def ganzoo_logged(self, step: int, values: Mapping[str, float]) -> None:
        self._log(step, values)

    @hookimpl
    def ganzoo_sampled(self, step: int, image: Path) -> None:
        self._log(step, {"samples": self._wandb.Image(str(image))})

    def _log(self, step: int, values: Mapping[str, object]) -> None:
        # Steps that a killed run will come to again are there already, and are the same.
        if step >= self._run.step:
            self._run.log(dict(values), step=step)

    @hookimpl
    def ganzoo_warned(self, step: int, warning: TrainingWarning) -> None:
        self._run.alert(title=f"{warning.kind} at step {step:,}", text=str(warning), level="WARN")

    @hookimpl
    def ganzoo_run_ended(self, status: str) -> None:
        self._run.summary["status"] = status
        self._run.finish(exit_code=EXIT_CODES.get(status, 1))
