"""Canonical scores: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import MetricCard, hookimpl


@hookimpl
def ganzoo_metrics() -> Iterator[MetricCard]:
    yield MetricCard(
        name="fid",
        summary="FID, KID, Inception Score, precision, recall, density and coverage, by the literature's Inception.",
        api=2,
        better={
            "fid": "smaller",
            "kid": "smaller",
            "inception-score": "larger",
            "precision": "larger",
            "recall": "larger",
            "density": "larger",
            "coverage": "larger",
        },
        on_request=True,
        metric="ganzoo_fid.metric:Canonical",
    )
