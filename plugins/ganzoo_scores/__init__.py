"""Scores that need no download: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import MetricCard, hookimpl


@hookimpl
def ganzoo_metrics() -> Iterator[MetricCard]:
    yield MetricCard(
        name="swd",
        summary="Sliced Wasserstein distance on Laplacian pyramids, times 1000.",
        api=2,
        better={"swd": "smaller"},
        modalities=("image", "clip"),
        metric="ganzoo_scores.swd:SlicedWasserstein",
    )
    yield MetricCard(
        name="classifier",
        summary="What a classifier of the data's labels makes of the samples: confidence, classes, Fréchet distance.",
        api=2,
        better={
            "confident": "larger",
            "classes": "larger",
            "smallest-share": "larger",
            "label-accuracy": "larger",
            "fd-classifier": "smaller",
        },
        modalities=("image", "signal"),
        trains=True,
        metric="ganzoo_scores.classifier_metrics:ByClassifier",
    )
    yield MetricCard(
        name="ms-ssim",
        summary="Structural similarity of pairs of samples, beside that of real pairs: does variety lack?",
        api=2,
        better={"ms-ssim": "smaller"},
        metric="ganzoo_scores.ms_ssim:Similarity",
    )
    yield MetricCard(
        name="nearest",
        summary="Distance to the nearest training images, beside that of held-out real ones: does it copy?",
        api=2,
        metric="ganzoo_scores.nearest_neighbours:NearestTraining",
    )
    yield MetricCard(
        name="translation",
        summary="Error of translations against the true answers, beside that of doing nothing.",
        api=2,
        better={"translation": "smaller", "translation-changed": "larger", "translation-elsewhere": "smaller"},
        metric="ganzoo_scores.translation:TranslationError",
    )
    yield MetricCard(
        name="there-and-back",
        summary="Difference between images and what a translation there and back makes of them.",
        api=2,
        better={"there-and-back": "smaller"},
        metric="ganzoo_scores.translation:CycleConsistency",
    )
