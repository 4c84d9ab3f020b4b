"""Trackio: what ganzoo lists without importing it."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import LoggerCard, hookimpl


@hookimpl
def ganzoo_loggers() -> Iterator[LoggerCard]:
    yield LoggerCard(
        name="trackio",
        summary="Trackio, on this machine or, with space=USER/NAME, in a Space of Hugging Face.",
        api=2,
        writes="Trackio's own folder, TRACKIO_DIR or ~/.cache/huggingface/trackio, where its dashboard looks",
        logger="ganzoo_trackio.logger:Trackio",
    )
