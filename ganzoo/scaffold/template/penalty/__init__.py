"""My penalty: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import PenaltyCard, hookimpl


@hookimpl
def ganzoo_penalties() -> Iterator[PenaltyCard]:
    yield PenaltyCard(
        name="my-penalty",
        summary="Squared gradient norm between real and fake.",
        paper="arXiv:1902.03984",
        api=2,
        penalty="ganzoo_my_penalty.penalty:MyPenalty",
    )
