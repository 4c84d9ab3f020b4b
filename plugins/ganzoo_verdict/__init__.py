"""`ganzoo verdict`, what a run's D thinks. What is listed without importing torch."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import CommandCard, hookimpl


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="verdict",
        summary="Say what a run's D thinks of real and generated items.",
        examples=("ganzoo verdict runs/dcgan-digits-1", "ganzoo verdict runs/dcgan-digits-1 --on digits:seed=1"),
        api=2,
        command="ganzoo_verdict.commands:verdict",
    )
