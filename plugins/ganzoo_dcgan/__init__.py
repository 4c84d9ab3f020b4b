"""DCGAN (Radford, Metz and Chintala 2015): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import Card, RecipeCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[Card]:
    yield Card(
        name="dcgan",
        title="DCGAN",
        year=2015,
        paper="arXiv:1511.06434",
        summary="Convolutional generator and discriminator with batch norm.",
        tasks={"unconditional"},
        resolutions=(32, 64, 128),
        channels=(1, 3),
        licence="MIT",
        api=1,
        batch_statistics=True,
        model="ganzoo_dcgan.model:DCGAN",
    )


@hookimpl
def ganzoo_recipes() -> Iterator[RecipeCard]:
    yield RecipeCard(
        name="report-anime",
        summary="The report's anime experiment: DCGAN in four stages, 30 epochs.",
        architecture="dcgan",
        data="anime",
        stages=(
            {"epochs": 5, "lr": 2e-4, "beta1": 0.5},
            {"epochs": 5, "lr": 1e-4, "beta1": 0.3},
            {"epochs": 10, "lr": 1e-4, "beta1": 0.5},
            {"epochs": 10, "lr": 1e-5, "beta1": 0.5},
        ),
        api=1,
    )
