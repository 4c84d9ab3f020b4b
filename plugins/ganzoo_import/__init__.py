"""`ganzoo import`: models of ganzoo's made of weights from elsewhere. What is listed without importing torch."""

from collections.abc import Iterator

from ganzoo.api import CommandCard, hookimpl


@hookimpl
def ganzoo_commands() -> Iterator[CommandCard]:
    yield CommandCard(
        name="import",
        summary="Make a model of weights that other code trained.",
        examples=(
            "ganzoo import ffhq.pkl --as stylegan2 --licence NVIDIA-NC -o ffhq.safetensors",
            "ganzoo import latest_net_G_A.pth latest_net_G_B.pth --as cyclegan -o zebras.safetensors",
            "ganzoo train stylegan2 faces --preset auto --init ffhq.safetensors",
        ),
        api=2,
        command="ganzoo_import.commands:import_",
    )
