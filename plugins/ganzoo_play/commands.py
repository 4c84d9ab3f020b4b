"""`ganzoo play`."""

from __future__ import annotations

import click

from ganzoo.api import printable


@click.command("play")
@click.argument("source", metavar="RUN|MODEL")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="INT", help="The port. [default: 8761, or the next free one]"
)
@click.option(
    "--host", default="127.0.0.1", metavar="ADDRESS", help="Who may play. [default: 127.0.0.1, this machine alone]"
)
@click.option("--device", default="auto", metavar="auto|cpu|cuda|mps", help="Where to compute. [default: auto]")
@click.pass_context
def play(context: click.Context, source: str, port: int | None, host: str, device: str) -> None:
    """Try a model out in your browser, with the command for each image.

    RUN|MODEL is a run's folder, a model.safetensors file or an address such as hf://user/name. Choose seed, truncation
    and label; click an image to vary it, and another one to walk between the two; mix styles; give images of your own
    to translate, project or encode. Each result can be downloaded, beside the command that makes it.

    No browser is opened: the address is printed. Only this machine reaches the page, unless --host says another of
    its addresses, such as 0.0.0.0 for all networks that reach it; whoever reaches it then uses this machine. Ctrl-C
    ends it.

    Of a machine that you use through ssh, type on your own: ssh -N -L 8761:127.0.0.1:8761 MACHINE, and open
    http://127.0.0.1:8761. In Colab, start it with `!ganzoo play RUN &` and show it from Python with
    google.colab.output.serve_kernel_port_as_iframe(8761).
    """
    from ganzoo_play.player import Player
    from ganzoo_play.server import serve

    with Player(context.find_root().command, source, device) as player:
        serve(player, host, port, lambda text: click.echo(printable(text)))
