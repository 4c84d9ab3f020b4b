"""A GAN with an encoder: what ganzoo lists without importing torch."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="encoder",
        title="Encoder",
        year=2016,
        paper="arXiv:1512.09300",
        summary="G has an encoder, trained until a frozen network sees no difference between an image and its copy.",
        resolutions=(28, 32),
        licence="MIT",
        api=2,
        batch_statistics=True,
        model="ganzoo_encoder.model:Encoder",
    )
