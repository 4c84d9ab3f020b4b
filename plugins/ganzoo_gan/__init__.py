"""Goodfellow's GAN (2014): what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, RecipeCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="gan",
        title="GAN",
        year=2014,
        paper="arXiv:1406.2661",
        summary="The first GAN: two dense networks, for small images and for points of the plane.",
        tasks={"unconditional"},
        resolutions=(28, 32),
        channels=(1, 3),
        dimensions=(2,),
        licence="MIT",
        api=2,
        batch_statistics=True,
        good_for="points and digits, to see how a GAN works",
        best="83.6 % confident (MNIST)",
        minutes=28,
        measured="one core of an AMD EPYC",
        model="ganzoo_gan.model:GAN",
    )


@hookimpl
def ganzoo_recipes() -> Iterator[RecipeCard]:
    yield RecipeCard(
        name="report-digits-dense",
        summary="The report's digits, the cited script's networks: 5,000 iterations; batches of 32 are our assumption.",
        architecture="gan",
        data="digits",
        preset="digits-dense",
        options={"lr": 2e-4, "beta1": 0.5},
        stages=({"steps": 5000},),
        api=2,
    )
