"""`ganzoo import`."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo.api import GanzooError, UsageError, load_tensors


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--as", "architecture", required=True, metavar="NAME", help="The architecture, such as stylegan2.")
@click.option("--licence", default="", metavar="SPDX", help="The weights' licence; it stays with the model.")
@click.option("-o", "--out", metavar="MODEL", help="The model's file. [default: named after FILE, beside you]")
def import_(files: tuple[str, ...], architecture: str, licence: str, out: str | None) -> None:
    """Make a model of weights that other code trained.

    FILE is a pickle of NVIDIA's (.pkl), a file of torch's with tensors (.pt, .pth), or .safetensors. It is read without
    executing anything: whatever is more than numbers, texts, lists and tensors is refused. Give several where each
    network has a file of its own. What comes out is used as any model of ganzoo's: sample, mix, project, translate,
    export, and train --init.
    """
    from ganzoo.api import save_imported
    from ganzoo_import.reader import read_all

    source = Path(files[0])
    target = Path(out) if out else Path(f"{source.stem}.safetensors")
    if target.suffix != ".safetensors":
        raise UsageError(f"-o takes a .safetensors file, not {target}.")
    for each in files:
        if (kind := _ours(Path(each))) is not None:
            raise UsageError(f"{each} is a {kind} of ganzoo's, and needs no import; `ganzoo sample {each}` uses it.")
        if not Path(each).is_file():
            raise UsageError(f"There is no file {each}; give a .pkl, .pt, .pth or .safetensors file of weights.")
    if target.exists():
        raise UsageError(f"{target} is there already; choose another name with -o.")
    save_imported(architecture, lambda: read_all(list(map(Path, files))), source, target, licence)
    click.echo(f"{', '.join(files)} {'is' if len(files) == 1 else 'are'} now the model {target}")
    if not licence:
        click.echo("Its licence is not known here; --licence writes it into the model.")


def _ours(place: Path) -> str | None:
    """ "run" or "model" where it is one of ganzoo's."""
    if (place / "run.json").is_file():
        return "run"
    if place.suffix != ".safetensors" or not place.is_file():
        return None
    try:
        load_tensors(place)
    except GanzooError:
        return None
    return "model"
