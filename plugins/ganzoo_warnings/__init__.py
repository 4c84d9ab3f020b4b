"""Warnings in words while a run trains, of whichever architecture."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ganzoo.api import TrainingWarning, better_scores, hookimpl
from ganzoo_warnings.rules import Watch
from ganzoo_warnings.signs import reads_in_vain

if TYPE_CHECKING:
    from ganzoo.api import Run

_watches: dict[Path, Watch] = {}  # of the runs that train now, by folder


@hookimpl
def ganzoo_run_started(run: Run) -> None:
    options = run.hyperparameters
    for stage in run.header.stages:
        options |= stage.changes
    blind = (reads_in_vain(options, run.header.data.modality), str(options.get("loss")))
    watch = _watches[run.path] = Watch(better_scores(), *blind)
    for row in chain(run.metrics(), run.sheets()):  # what was warned of before comes no second time
        watch.hear(row)


@hookimpl
def ganzoo_logged(run: Run, step: int, values: Mapping[str, float]) -> list[TrainingWarning]:
    return _watches[run.path].hear({"step": step, **values}) if run.path in _watches else []


@hookimpl
def ganzoo_sampled(run: Run, step: int) -> list[TrainingWarning]:
    sheets = [row for row in run.sheets() if row["step"] == step]
    return _watches[run.path].hear(sheets[-1]) if sheets and run.path in _watches else []


@hookimpl
def ganzoo_warned(run: Run, warning: TrainingWarning) -> None:
    if warning.kind == "rollback":  # the log ends at an earlier step now
        ganzoo_run_started(run)


@hookimpl
def ganzoo_run_ended(run: Run) -> None:
    _watches.pop(run.path, None)
