"""Weights & Biases: what ganzoo lists without importing it."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import LoggerCard, hookimpl


@hookimpl
def ganzoo_loggers() -> Iterator[LoggerCard]:
    yield LoggerCard(
        name="wandb",
        summary="Weights & Biases, online or, with mode=offline, in the run's folder.",
        api=2,
        writes="~/.cache/wandb: the debugging logs of wandb's own process",
        logger="ganzoo_wandb.logger:WeightsAndBiases",
    )
