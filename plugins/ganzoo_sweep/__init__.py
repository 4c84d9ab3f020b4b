"""`ganzoo sweep`, runs for every choice of options. What is listed without importing torch."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import CommandCard, hookimpl


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="sweep",
        summary="Train a run for each choice of options, and for several seeds.",
        section="Training",
        examples=(
            "ganzoo sweep dcgan digits --over lr=1e-4,2e-4 --over loss=lsgan,hinge --seeds 3 --images 50000",
            'ganzoo sweep gan points --over "hidden-g=64,64;128,128" --seeds 0-4',
            "ganzoo sweep sweep.toml --jobs 2",
        ),
        api=2,
        command="ganzoo_sweep.commands:sweep",
    )
