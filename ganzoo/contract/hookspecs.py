"""Every hook of ganzoo, on one screen. A plugin implements those it wants, marked with `ganzoo.api.hookimpl`.

Catalogue hooks yield cards and import nothing heavy. Run events are told what happened; whatever they raise is
reported once and changes nothing. A module that implements one hears of every run; a logger, whose methods are marked
with `hookimpl` too, of the runs that name it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pluggy

from ganzoo.contract import cards

if TYPE_CHECKING:
    from pathlib import Path

    from ganzoo.contract.warning import TrainingWarning
    from ganzoo.runs.run import Run

hookspec = pluggy.HookspecMarker("ganzoo")
hookimpl = pluggy.HookimplMarker("ganzoo")


@hookspec
def ganzoo_architectures() -> Iterable[cards.ArchitectureCard]:  # type: ignore[empty-body]
    """Architectures: what `ganzoo train` and `ganzoo list` know."""


@hookspec
def ganzoo_datasets() -> Iterable[cards.DatasetCard]:  # type: ignore[empty-body]
    """Data sets that can be named without adding them first."""


@hookspec
def ganzoo_losses() -> Iterable[cards.LossCard]:  # type: ignore[empty-body]
    """Adversarial losses, for `--loss`."""


@hookspec
def ganzoo_penalties() -> Iterable[cards.PenaltyCard]:  # type: ignore[empty-body]
    """Penalties on the discriminator, for `--penalty`."""


@hookspec
def ganzoo_augmentations() -> Iterable[cards.AugmentationCard]:  # type: ignore[empty-body]
    """What alters what D sees, for `--augment`."""


@hookspec
def ganzoo_metrics() -> Iterable[cards.MetricCard]:  # type: ignore[empty-body]
    """Scores, for `ganzoo evaluate`."""


@hookspec
def ganzoo_modalities() -> Iterable[cards.ModalityCard]:  # type: ignore[empty-body]
    """What items can be: how they are read, normalised, drawn and written."""


@hookspec
def ganzoo_schemes() -> Iterable[cards.SchemeCard]:  # type: ignore[empty-body]
    """Where models and data can be fetched from, and models published: what addresses begin with."""


@hookspec
def ganzoo_commands() -> Iterable[cards.CommandCard]:  # type: ignore[empty-body]
    """Commands besides ganzoo's own, for `ganzoo --help`."""


@hookspec
def ganzoo_loggers() -> Iterable[cards.LoggerCard]:  # type: ignore[empty-body]
    """What a run can tell of itself to, for `ganzoo train --log`."""


@hookspec
def ganzoo_recipes() -> Iterable[cards.RecipeCard]:  # type: ignore[empty-body]
    """Whole experiments, for `ganzoo train --recipe`."""


@hookspec
def ganzoo_run_started(run: Run, step: int) -> None:
    """Training begins in the folder `run.path` (`step` is 0), or goes on after `step`.

    What was told of later steps is void then: the run was killed, and will come to them again.
    """


@hookspec
def ganzoo_logged(run: Run, step: int, values: Mapping[str, float]) -> list[TrainingWarning] | None:
    """A row was added to metrics.jsonl: `values` is all of it but the step. The run gives the warnings returned."""


@hookspec
def ganzoo_sampled(run: Run, step: int, image: Path) -> list[TrainingWarning] | None:
    """A grid of samples was written to `image` (PNG), and its row to samples.jsonl. Returns: as `ganzoo_logged`."""


@hookspec
def ganzoo_warned(run: Run, step: int, warning: TrainingWarning) -> None:
    """Something looks wrong, or training was rolled back: `warning.kind` is one word, `warning.text` says it."""


@hookspec
def ganzoo_run_ended(run: Run, status: str) -> None:
    """Training stopped: "finished", "interrupted" or "failed"."""
