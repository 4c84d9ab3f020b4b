"""Every hook of ganzoo, on one screen. A plugin implements those it wants, marked with `ganzoo.api.hookimpl`.

Catalogue hooks yield cards and import nothing heavy. Run events are told what happened; whatever they raise is
reported once and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pluggy

from ganzoo.cards import Card, DatasetCard, LossCard, MetricCard, PenaltyCard, RecipeCard

if TYPE_CHECKING:
    from pathlib import Path

    from ganzoo.runs import Run

hookspec = pluggy.HookspecMarker("ganzoo")
hookimpl = pluggy.HookimplMarker("ganzoo")


@hookspec
def ganzoo_architectures() -> Iterable[Card]:  # type: ignore[empty-body]
    """Architectures: what `ganzoo train` and `ganzoo list` know."""


@hookspec
def ganzoo_datasets() -> Iterable[DatasetCard]:  # type: ignore[empty-body]
    """Data sets that can be named without adding them first."""


@hookspec
def ganzoo_losses() -> Iterable[LossCard]:  # type: ignore[empty-body]
    """Adversarial losses, for `--loss`."""


@hookspec
def ganzoo_penalties() -> Iterable[PenaltyCard]:  # type: ignore[empty-body]
    """Penalties on the discriminator, for `--penalty`."""


@hookspec
def ganzoo_metrics() -> Iterable[MetricCard]:  # type: ignore[empty-body]
    """Scores, for `ganzoo evaluate`."""


@hookspec
def ganzoo_recipes() -> Iterable[RecipeCard]:  # type: ignore[empty-body]
    """Whole experiments, for `ganzoo train --recipe`."""


@hookspec
def ganzoo_run_started(run: Run) -> None:
    """Training begins, or goes on, in the folder `run.path`."""


@hookspec
def ganzoo_logged(run: Run, step: int, values: Mapping[str, float]) -> None:
    """A line was added to metrics.jsonl."""


@hookspec
def ganzoo_sampled(run: Run, step: int, image: Path) -> None:
    """A grid of samples was written to `image` (PNG)."""


@hookspec
def ganzoo_run_ended(run: Run, status: str) -> None:
    """Training stopped: "finished", "interrupted" or "failed"."""
