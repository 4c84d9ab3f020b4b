"""`ganzoo export`, a model for other programs. What is listed without importing torch."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import CommandCard, hookimpl


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="export",
        summary="Write the generator for other programs.",
        examples=(
            "ganzoo export runs/dcgan-anime-1 --format onnx",
            "ganzoo export runs/cyclegan-s2w-1 --format torch-export --to B -o winter.pt2",
        ),
        api=2,
        command="ganzoo_export.commands:export",
    )
