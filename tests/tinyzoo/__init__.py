"""A plugin for the tests, discovered as a stranger's would be: GANs that train in milliseconds, and data for them."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, DatasetCard, LoggerCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    for title in ("TinyGAN", "FaultyGAN"):
        yield ArchitectureCard(
            name=title.lower(),
            title=title,
            year=2000,
            paper="none",
            summary="For the tests.",
            resolutions=(8,),
            smallest_length=1,
            licence="MIT",
            api=2,
            model=f"tinyzoo.model:{title}",
        )


@hookimpl
def ganzoo_datasets() -> Iterator[DatasetCard]:
    yield DatasetCard(name="tiny", summary="For the tests.", origin="of the tests", api=2, dataset="tinyzoo.data:Tiny")


@hookimpl
def ganzoo_loggers() -> Iterator[LoggerCard]:
    for name in ("tinylog", "otherlog"):
        yield LoggerCard(name=name, summary="For the tests.", api=2, logger="tinyzoo.logger:TinyLog")
