"""My loss: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import LossCard, hookimpl


@hookimpl
def ganzoo_losses() -> Iterator[LossCard]:
    yield LossCard(
        name="my-loss",
        summary="Nonsaturating, with one-sided label smoothing.",
        paper="arXiv:1606.03498",
        api=2,
        loss="ganzoo_my_loss.loss:MyLoss",
    )
