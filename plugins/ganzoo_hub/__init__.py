"""The Hugging Face hub: models between people, and data sets."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import CommandCard, SchemeCard, hookimpl


@hookimpl
def ganzoo_schemes() -> Iterator[SchemeCard]:
    yield SchemeCard(
        name="hf",
        summary="Models and data sets on the Hugging Face hub: hf://[datasets/]USER/NAME[@REVISION].",
        fetches=("model", "data"),
        publishes=True,
        api=2,
        scheme="ganzoo_hub.hub:Hub",
    )


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="push",
        summary="Publish a run's model with a page about it.",
        examples=(
            "ganzoo push runs/dcgan-anime-1 hf://you/anime-faces",
            "ganzoo push runs/dcgan-anime-1 to-publish",
        ),
        api=2,
        command="ganzoo_hub.commands:push",
    )
    yield CommandCard(
        name="pull",
        summary="Fetch a published model into a file.",
        examples=(
            "ganzoo pull hf://you/anime-faces",
            "ganzoo pull hf://you/anime-faces@v1 -o faces.safetensors",
            "ganzoo pull https://example.org/model.safetensors",
        ),
        api=2,
        command="ganzoo_hub.commands:pull",
    )
