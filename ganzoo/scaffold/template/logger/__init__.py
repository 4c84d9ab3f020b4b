"""My logger: what ganzoo lists without importing anything heavy."""

from collections.abc import Iterator

from ganzoo.api import LoggerCard, hookimpl


@hookimpl
def ganzoo_loggers() -> Iterator[LoggerCard]:
    yield LoggerCard(
        name="my-logger",
        summary="A table of the losses, for a spreadsheet.",
        api=2,
        logger="ganzoo_my_logger.logger:MyLogger",
    )
