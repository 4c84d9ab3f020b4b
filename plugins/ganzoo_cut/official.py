"""What files of taesungp/contrastive-unpaired-translation hold. The networks are the same, and so are their names."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor

from ganzoo.api import DataSpec, Foreign, Imported, UsageError

# Fixed filters, and what instance norm had once and never used.
LEFT = ("filt", "running_mean", "running_var", "num_batches_tracked")
FIRST = 12  # the layer of the first residual block


def imported(foreign: Foreign) -> Imported:
    """Of ``latest_net_G.pth``, and of the files of F and D where they are given; it makes images of domain B.

    Raises: UsageError when there is no generator of CUT's among them.
    """
    G, F, D = (_kept(foreign.network(*names)) for names in (("net_G", "G", ""), ("net_F", "F"), ("net_D", "D")))
    blocks = {int(name.split(".")[1]) for name in G if "conv_block" in name}
    if "model.1.weight" not in G or "model.8.weight" not in G or min(blocks, default=0) != FIRST:
        raise UsageError("There is no generator of CUT's in these files, which begins with latest_net_G.pth.")
    options: dict[str, Any] = {"width_g": len(G["model.1.weight"]), "blocks": len(blocks)}
    last = FIRST + len(blocks) - 1
    options["layers"] = tuple(layer for layer in (0, 4, 8, 12, 16) if layer <= last)
    if sum(name.endswith(".0.weight") for name in F) == len(options["layers"]):
        options["width_f"] = len(F["mlp_0.0.weight"])
    else:
        F = {}
    if D:
        layers = sum(re.fullmatch(r"model\.\d+\.weight", name) is not None for name in D)
        options |= {"width_d": len(D["model.0.weight"]), "layers_d": layers - 2}
    tensors = {f"G.AB.{name}": value for name, value in G.items()}
    tensors |= {f"F.{name}": value for name, value in F.items()} | {f"D.B.{name}": D[name] for name in D}
    channels = G["model.1.weight"].shape[1]
    return Imported(options, DataSpec((channels, 256, 256), domains=("A", "B")), tensors)


def _kept(network: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in network.items() if not name.endswith(LEFT)}
