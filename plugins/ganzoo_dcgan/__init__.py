"""DCGAN (Radford, Metz and Chintala 2015): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, RecipeCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="dcgan",
        title="DCGAN",
        year=2015,
        paper="arXiv:1511.06434",
        summary="Convolutional generator and discriminator with batch norm.",
        tasks={"unconditional"},
        resolutions=(32, 64, 128),
        channels=(1, 3),
        licence="MIT",
        api=2,
        bf16=True,
        batch_statistics=True,
        good_for="faces and digits, the quickest start",
        smallest_data=6_144,
        smallest_length=25_600,
        best="82.2 % confident (MNIST)",
        minutes=18,
        measured="one core of an AMD EPYC",
        model="ganzoo_dcgan.model:DCGAN",
    )


@hookimpl
def ganzoo_recipes() -> Iterator[RecipeCard]:
    yield RecipeCard(
        name="report-anime",
        summary="The report's anime experiment: DCGAN in four stages, 30 epochs.",
        architecture="dcgan",
        data="anime",
        preset="tutorial",
        stages=(
            {"epochs": 5, "lr": 2e-4, "beta1": 0.5},
            {"epochs": 5, "lr": 1e-4, "beta1": 0.3},
            {"epochs": 10, "lr": 1e-4, "beta1": 0.5},
            {"epochs": 10, "lr": 1e-5, "beta1": 0.5},
        ),
        api=2,
    )
    yield RecipeCard(
        name="report-digits",
        summary="The report's digits, all in one model: 5,000 iterations; batches of 32 are our assumption.",
        architecture="dcgan",
        data="digits",
        preset="digits",
        options={"lr": 2e-4, "beta1": 0.5},
        stages=({"steps": 5000},),
        api=2,
    )
    yield RecipeCard(
        name="report-digits-each",
        summary="The report's digits, one model each: 1,000 iterations a digit; batches of 32 are our assumption.",
        architecture="dcgan",
        data="digits",
        preset="digits",
        options={"lr": 2e-4, "beta1": 0.5},
        stages=({"steps": 1000},),
        per_class=True,
        api=2,
    )
