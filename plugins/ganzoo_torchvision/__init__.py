"""Data sets that torchvision fetches on first use, and every one of its own by its address."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import DatasetCard, SchemeCard, hookimpl

_SETS = (
    ("mnist", "MNIST", "Handwritten digits, 60,000 of 28x28 in grey, with 10 labels."),
    ("fashion-mnist", "FashionMNIST", "Pieces of clothing, 60,000 of 28x28 in grey, with 10 labels."),
    ("kmnist", "KMNIST", "Cursive Japanese characters, 60,000 of 28x28 in grey, with 10 labels."),
    ("cifar10", "CIFAR10", "Photographs of animals and vehicles, 50,000 of 32x32 in colour, with 10 labels."),
)


@hookimpl
def ganzoo_datasets() -> Iterator[DatasetCard]:
    for name, cls, summary in _SETS:
        yield DatasetCard(
            name=name,
            summary=f"{summary} Fetched on first use.",
            origin=f"{cls}, fetched by torchvision",
            api=2,
            dataset=f"ganzoo_torchvision.sets:{cls}",
        )


@hookimpl
def ganzoo_schemes() -> Iterator[SchemeCard]:
    yield SchemeCard(
        name="torchvision",
        summary="Sets of images that torchvision downloads, by its own names: torchvision://MNIST.",
        fetches=("data",),
        api=2,
        scheme="ganzoo_torchvision.fetch:Torchvision",
    )
