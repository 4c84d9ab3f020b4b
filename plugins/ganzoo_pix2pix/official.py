"""What the files of junyanz/pytorch-CycleGAN-and-pix2pix hold. The networks are the same, and so are their names."""

from __future__ import annotations

import re

import torch

from ganzoo.api import DataSpec, Foreign, Imported, UsageError


def imported(foreign: Foreign) -> Imported:
    """Of ``latest_net_G.pth``, whose U-Net makes images of domain B, and of D's file where it is given.

    Raises: UsageError when there is no U-Net of pix2pix's in it.
    """
    G, D = foreign.network("G", ""), foreign.network("D")
    halvings = max((name.count("model.") for name in G), default=0) - 1  # how deep they are nested
    if "model.model.0.weight" not in G or "model.model.3.weight" not in G or halvings < 3:
        raise UsageError("There is no U-Net of pix2pix's in this file; give latest_net_G.pth.")
    side = 2 ** min(halvings, 8)
    for name in [name for name in G if name.endswith("running_var")]:  # older files have no count beside it
        G.setdefault(name.replace("running_var", "num_batches_tracked"), torch.zeros((), dtype=torch.int64))
    before, after = G["model.model.0.weight"].shape[1], G["model.model.3.weight"].shape[1]
    options = {"width_g": len(G["model.model.0.weight"]), "resolution": side}
    layers = sum(re.fullmatch(r"model\.\d+\.weight", name) is not None and D[name].dim() == 4 for name in D)
    if layers:
        options |= {"width_d": len(D["model.0.weight"]), "layers_d": layers - 2}
    else:
        options["layers_d"] = min(3, halvings - 3)  # one that fits the images
    tensors = {f"G.AB.{name}": value for name, value in G.items()}
    tensors |= {f"D.B.{name}": value for name, value in D.items()}
    shapes = {} if before == after else {"A": (before, side, side), "B": (after, side, side)}
    data = DataSpec((before, side, side), domains=("A", "B"), shapes=shapes, paired=True)
    return Imported(options, data, tensors)
