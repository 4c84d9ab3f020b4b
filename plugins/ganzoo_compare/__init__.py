"""`ganzoo compare`, runs side by side. What is listed without importing torch."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import CommandCard, hookimpl


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="compare",
        summary="Set runs side by side: scores, settings, images, time.",
        section="Training",
        examples=(
            "ganzoo compare runs/dcgan-mnist-1 runs/lsgan-mnist-1",
            "ganzoo compare runs --markdown",
            "ganzoo compare runs/a runs/b --plot losses.pdf --value loss/G --over time",
        ),
        api=2,
        command="ganzoo_compare.commands:compare",
    )
