"""What the files of junyanz/pytorch-CycleGAN-and-pix2pix hold. The networks are the same, and so are their names."""

from __future__ import annotations

import re

from torch import Tensor

from ganzoo.api import DataSpec, Foreign, Imported, UsageError

COUNTS = ("running_mean", "running_var", "num_batches_tracked")  # instance norm had them once, and never used them


def imported(foreign: Foreign) -> Imported:
    """Of ``latest_net_G_A.pth`` and ``latest_net_G_B.pth``, and of the Ds' files where they are given.

    G_A makes images of domain B; D_A judges these.
    Raises: UsageError unless there are both generators.
    """
    nets = {
        ours: _kept(foreign.network(theirs))
        for ours, theirs in (("G.AB", "G_A"), ("G.BA", "G_B"), ("D.A", "D_B"), ("D.B", "D_A"))
    }
    G = nets["G.AB"]
    if "model.1.weight" not in G or "model.1.weight" not in nets["G.BA"]:
        raise UsageError("CycleGAN's two generators are needed, the files latest_net_G_A.pth and latest_net_G_B.pth.")
    blocks = len({name.split(".")[1] for name in G if "conv_block" in name})
    options = {"width_g": len(G["model.1.weight"]), "blocks": blocks}
    if D := nets["D.B"] or nets["D.A"]:
        layers = sum(re.fullmatch(r"model\.\d+\.weight", name) is not None for name in D)
        options |= {"width_d": len(D["model.0.weight"]), "layers_d": layers - 2}
    a, b = (nets[way]["model.1.weight"].shape[1] for way in ("G.AB", "G.BA"))
    shapes = {} if a == b else {"A": (a, 256, 256), "B": (b, 256, 256)}
    tensors = {f"{ours}.{name}": value for ours, network in nets.items() for name, value in network.items()}
    return Imported(options, DataSpec((a, 256, 256), domains=("A", "B"), shapes=shapes), tensors)


def _kept(network: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in network.items() if not name.endswith(COUNTS)}
