"""`ganzoo probe`: what is listed without importing torch."""

from collections.abc import Iterator

from ganzoo.api import CommandCard, hookimpl


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="probe",
        summary="Try with few labels what D has learned.",
        examples=("ganzoo probe runs/dcgan-mnist-1", "ganzoo probe runs/dcgan-mnist-1 --labels 10,100 --json"),
        api=2,
        command="ganzoo_probe.commands:probe",
    )
