"""`ganzoo bench`, how fast an architecture trains here, and until when. What is listed without importing torch."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import CommandCard, hookimpl


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="bench",
        summary="Measure how fast an architecture trains here.",
        section="Data and this machine",
        examples=(
            "ganzoo bench dcgan",
            "ganzoo bench dcgan --preset tutorial --against plain --precision bf16",
            "ganzoo bench dcgan --preset small --against bare --json",
            "ganzoo bench dcgan --preset tutorial --against 'main.py --dataset folder --dataroot {folder} --niter 1'",
            "ganzoo bench lsgan --on mnist --preset digits-32 --until confident=0.8 --max-time 1h",
        ),
        api=2,
        command="ganzoo_bench.commands:bench",
    )
