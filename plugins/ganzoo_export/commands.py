"""`ganzoo export`."""

from __future__ import annotations

import click

from ganzoo.api import load_model, printable


@click.command("export")
@click.argument("source", metavar="RUN|MODEL")
@click.option(
    "--format", "format", metavar="safetensors|onnx|torch-export",
    help="For ganzoo itself, for any program with an ONNX runtime, or for torch alone. [default: by the ending of -o]",
)  # fmt: skip
@click.option("--to", metavar="DOMAIN", help="The domain to translate to, where the model translates.")
@click.option("--encode", is_flag=True, help="The encoder, images to z, in place of the generator.")
@click.option("-o", "--out", metavar="FILE", help="Where to write. [default: named after the run, here]")
def export(source: str, format: str | None, to: str | None, encode: bool, out: str | None) -> None:
    """Write the generator for other programs.

    The program takes noise z [B, Z] from N(0, 1) (and label [B], int64, where it was trained with labels), or images
    [B, C, H, W] in [-1, 1] where it translates, for batches of any size and, to translate, for all sides that the
    network takes without padding. Dropout is off in it. Its images are compared with the model's before the file is
    kept. ONNX needs packages of its own: pip install 'ganzoo[onnx]'.
    """
    from ganzoo_export import export as exports

    format = exports.format_of(out, format)
    model = load_model(source, device="cpu")
    file = exports.export(model, format, out, to, encode)
    dropout = format != "safetensors" and model.architecture.abilities.dropout
    without = " without dropout, which `ganzoo translate` keeps on" if dropout else ""
    made = f"makes the {model.modality.items} that the model makes"
    what = "finds the latents that the model finds" if encode else made
    click.echo(printable(f"{file} {what}{without} ({file.stat().st_size / 2**20:.1f} MB)."))
    click.echo(printable(f"The {'encoder' if encode else 'generator'} is in {file}"))
