"""What checkpoints of the released FastGAN hold, ``{"g": …, "d": …, "g_ema": …}``, in the names used here."""

from __future__ import annotations

import re

from torch import Tensor

from ganzoo.api import DataSpec, Foreign, Imported, UsageError

BUFFERS = ("weight_u", "weight_v", "running_mean", "running_var", "num_batches_tracked")


def our_name(theirs: str) -> str:
    """Our name of what is called so under torch's older spectral norm."""
    name = theirs.replace("init.init.", "init.").replace("to_128.", "to_small.")
    name = name.replace("weight_orig", "parametrizations.weight.original")
    return name.replace("weight_u", "parametrizations.weight.0.u")


def imported(foreign: Foreign) -> Imported:
    """G, averaged where the file has that, and D.

    Raises: UsageError when there is no G of FastGAN's in it.
    """
    G, D, average = foreign.network("g", ""), foreign.network("d"), foreign.network("g_ema")
    sides = [int(match[1]) for match in map(re.compile(r"feat_(\d+)\.1\.weight_orig").fullmatch, G) if match]
    if not {"init.init.0.weight_orig", "init.init.1.weight", "to_big.weight_orig"} <= set(G):
        raise UsageError("There is no generator of FastGAN's in this file; choose another --as.")
    learned = [name for name in G if not name.endswith(BUFFERS)]
    if len(average) == len(learned):  # a list in the order of G's parameters
        G |= dict(zip(learned, average.values(), strict=True))
    channels, side = len(G["to_big.weight_orig"]), max(sides)
    latents, first = len(G["init.init.0.weight_orig"]), len(G["init.init.1.weight"])
    options = {"resolution": side, "latent_dim": latents, "width_g": first // 32}
    if "rf_small.weight_orig" in D:
        options["width_d"] = D["rf_small.weight_orig"].shape[1] // 4
    tensors = {f"G.{name}": value for name, value in _ours(G).items()}
    return Imported(options, DataSpec((channels, side, side)), tensors | {f"D.{k}": v for k, v in _ours(D).items()})


def _ours(network: dict[str, Tensor]) -> dict[str, Tensor]:
    return {our_name(name): value for name, value in network.items() if not name.endswith("weight_v")}
