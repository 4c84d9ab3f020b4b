"""Files on the web: models and data sets by their address."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import SchemeCard, hookimpl


@hookimpl
def ganzoo_schemes() -> Iterator[SchemeCard]:
    for name in ("http", "https"):
        yield SchemeCard(
            name=name,
            summary="A file on the web; #sha256=… at the end checks it.",
            fetches=("model", "data"),
            api=2,
            scheme="ganzoo_web.web:Web",
        )
