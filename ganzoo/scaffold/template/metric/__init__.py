"""My metric: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import MetricCard, hookimpl


@hookimpl
def ganzoo_metrics() -> Iterator[MetricCard]:
    yield MetricCard(
        name="my-metric",
        summary="Wasserstein distance between the values of real and of generated pixels.",
        api=2,
        better={"my-metric": "smaller"},
        metric="ganzoo_my_metric.metric:MyMetric",
    )
