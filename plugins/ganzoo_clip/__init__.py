"""Short clips, a drawn set of them, and a GAN that makes them: what ganzoo lists without importing torch."""

from ganzoo.api import ArchitectureCard, DatasetCard, ModalityCard, hookimpl


@hookimpl
def ganzoo_modalities() -> list[ModalityCard]:
    return [ModalityCard(
        name="clip", summary="Short clips of one length and size, from animated GIF, WebP and PNG.", items="clips",
        suffixes=(".gif", ".webp", ".apng"), example=(8, 3, 16, 16), api=2, modality="ganzoo_clip.clip:Clip",
    )]  # fmt: skip


@hookimpl
def ganzoo_datasets() -> list[DatasetCard]:
    return [DatasetCard(
        name="bouncing", summary="Short clips of one to three coloured balls that bounce off the walls.",
        origin="drawn by ganzoo", api=2, dataset="ganzoo_clip.clip:Bouncing",
    )]  # fmt: skip


@hookimpl
def ganzoo_architectures() -> list[ArchitectureCard]:
    return [ArchitectureCard(
        name="vgan", title="VGAN", year=2016, paper="arXiv:1609.02612", good_for="short clips",
        summary="Short clips: what moves, laid by a mask over a background that stands still.",
        resolutions=(), channels=(), licence="MIT", batch_statistics=True, api=2, model="ganzoo_clip.model:VGAN",
    )]  # fmt: skip
