"""My command: what `ganzoo --help` shows without importing anything heavy."""

from collections.abc import Iterator

from ganzoo.api import CommandCard, hookimpl


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="my-command",
        summary="Say in a line what a run is.",
        examples=("ganzoo my-command runs/dcgan-anime-1",),
        api=2,
        command="ganzoo_my_command.command:my_command",
    )
