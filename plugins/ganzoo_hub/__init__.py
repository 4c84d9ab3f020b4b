"""The Hugging Face hub: models between people."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import SchemeCard, hookimpl


@hookimpl
def ganzoo_schemes() -> Iterator[SchemeCard]:
    yield SchemeCard(
        name="hf",
        summary="Models on the Hugging Face hub: hf://USER/NAME[@REVISION].",
        fetches=("model", "data"),
        publishes=True,
        api=2,
        scheme="ganzoo_hub.hub:Hub",
    )
