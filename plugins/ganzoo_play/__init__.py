"""`ganzoo play`: what is listed without importing torch."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import CommandCard, hookimpl


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="play",
        summary="Try a model out in your browser, with the command for each image.",
        examples=("ganzoo play runs/dcgan-anime-1", "ganzoo play model.safetensors --port 8000"),
        api=2,
        command="ganzoo_play.commands:play",
    )
