"""My scheme: what ganzoo lists without importing anything heavy."""

from collections.abc import Iterator

from ganzoo.api import SchemeCard, hookimpl


@hookimpl
def ganzoo_schemes() -> Iterator[SchemeCard]:
    yield SchemeCard(
        name="my-scheme",
        summary="Models on a shelf of this machine: my-scheme://NAME.",
        fetches=("model",),
        publishes=True,
        api=2,
        scheme="ganzoo_my_scheme.scheme:MyScheme",
    )
