"""TensorBoard: what ganzoo lists without importing it."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import LoggerCard, hookimpl


@hookimpl
def ganzoo_loggers() -> Iterator[LoggerCard]:
    yield LoggerCard(
        name="tensorboard",
        summary="TensorBoard's event files, in the run's folder.",
        api=2,
        logger="ganzoo_tensorboard.logger:TensorBoard",
    )
