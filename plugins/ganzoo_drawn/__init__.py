"""The data sets that ganzoo draws by code: public domain, and there before any network is; and a score for one.

This module names them and imports nothing heavy; a set's own module is imported when the set is first used.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import DatasetCard, MetricCard, hookimpl

ORIGIN = "drawn by ganzoo"


@hookimpl
def ganzoo_datasets() -> Iterator[DatasetCard]:
    """Faces, digits, faces by hair colour, faces with their edges, and points."""
    yield DatasetCard(
        name="anime",
        summary="Anime-style faces, labelled by hair colour.",
        origin=ORIGIN,
        api=2,
        dataset="ganzoo_drawn.anime:Anime",
    )
    yield DatasetCard(
        name="anime-hair",
        summary="Anime-style faces with dark hair (A) and with bright hair (B), for unpaired translation.",
        origin=ORIGIN,
        api=2,
        dataset="ganzoo_drawn.anime:AnimeHair",
    )
    yield DatasetCard(
        name="anime-edges",
        summary="Pairs for translation: the edges of anime-style faces, grey, and the faces.",
        origin=ORIGIN,
        api=2,
        dataset="ganzoo_drawn.anime:AnimeEdges",
    )
    yield DatasetCard(
        name="anime-families",
        summary="Anime-style faces in several domains, one for each family of hair colours, with the true partners.",
        origin=ORIGIN,
        api=2,
        dataset="ganzoo_drawn.anime:AnimeFamilies",
    )
    yield DatasetCard(
        name="digits",
        summary="Handwritten-looking digits, 28x28, white on black.",
        origin=ORIGIN,
        api=2,
        dataset="ganzoo_drawn.digits:Digits",
    )
    yield DatasetCard(
        name="points",
        summary="Points of the plane from a mixture of Gaussians: 8 on a ring, or 25 on a grid.",
        origin=ORIGIN,
        api=2,
        dataset="ganzoo_drawn.points:Points",
    )


@hookimpl
def ganzoo_metrics() -> Iterator[MetricCard]:
    """For `points`, whose modes are known."""
    yield MetricCard(
        name="modes",
        summary="Modes of `points` that were found, and the share of samples that lie in one.",
        api=2,
        modalities=("point",),
        better={"modes": "larger", "good": "larger", "least-mode": "larger"},
        metric="ganzoo_drawn.modes:Modes",
    )
