"""`ganzoo report` and `ganzoo watch`, pages about runs. What is listed without importing torch."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import CommandCard, hookimpl


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="report",
        summary="Make a page of a run, or of several side by side: one HTML file.",
        examples=(
            "ganzoo report runs/dcgan-anime-1",
            "ganzoo report runs/dcgan-anime-1 runs/lsgan-anime-1 -o both.html",
            "ganzoo report runs/dcgan-anime-1 --full",
        ),
        api=2,
        command="ganzoo_report.commands:report",
    )
    yield CommandCard(
        name="watch",
        summary="Serve a run's page to your browser while it trains.",
        section="Training",
        examples=("ganzoo watch", "ganzoo watch runs/dcgan-anime-1 --port 8000"),
        api=2,
        command="ganzoo_report.commands:watch",
    )
