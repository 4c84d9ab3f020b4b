"""`ganzoo animate`, a run's samples as a movie. What is listed without importing torch."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import CommandCard, hookimpl


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="animate",
        summary="Show a run's samples over time, as a movie.",
        examples=("ganzoo animate runs/gan-points-1", "ganzoo animate runs/dcgan-anime-1 --rate 4 -o faces.mp4"),
        api=2,
        command="ganzoo_animate.commands:animate",
    )
