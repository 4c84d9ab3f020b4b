"""What NVIDIA's files of StyleGAN2-ADA hold, in the names used here. The networks are the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganzoo.api import DataSpec, Foreign, Imported, UsageError

FIXED = "resample_filter"  # a buffer of the released networks that never changes


# Layers and parts of the first StyleGAN2, written for TensorFlow, by what the later code calls them.
IN_G = {"Conv": "conv1", "Conv0_up": "conv0", "Conv1": "conv1", "ToRGB": "torgb"}
IN_D = {"FromRGB": "fromrgb", "Conv0": "conv0", "Conv1_down": "conv1", "Skip": "skip", "Conv": "conv", "Dense0": "fc"}
PARTS = {"mod_weight": "affine.weight", "mod_bias": "affine.bias"}


def our_name(theirs: str) -> str:
    """Our name of what the released code calls so, in G or in D."""
    name = theirs.replace("mapping.w_avg", "w_mean").replace("synthesis.b", "synthesis.blocks.b")
    return re.sub(r"^b(\d)", r"blocks.b\1", re.sub(r"^b4\.", "", name))


def of_tensorflow(network: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A network of the first StyleGAN2, written for TensorFlow, in the later names and order of axes."""
    if "4x4/Conv/weight" not in network:
        return dict(network)
    found = {}
    for name, value in network.items():
        # Kernels [k, k, I, O] and dense weights [I, O] have their outputs last.
        outputs_first = value.permute(3, 2, 0, 1) if value.dim() == 4 else value.T if value.dim() == 2 else value
        if name == "dlatent_avg":
            found["mapping.w_avg"] = value
        elif name == "4x4/Const/const":
            found["synthesis.b4.const"] = value[0]
        elif match := re.fullmatch(r"noise(\d+)", name):
            number = int(match[1])
            found[f"synthesis.b{4 << (number + 1) // 2}.conv{1 - number % 2}.noise_const"] = value[0, 0]
        elif match := re.fullmatch(r"(Dense|Output)(\d*)/(weight|bias)", name):
            layer = f"mapping.fc{match[2]}" if match[2] else "b4.out"
            found[f"{layer}.{match[3]}"] = outputs_first
        elif match := re.fullmatch(r"(\d+)x\d+/(\w+)/(\w+)", name):
            side, layer, part = match.groups()
            known, start = (IN_G, "synthesis.") if "4x4/Const/const" in network else (IN_D, "")
            if layer in known:
                # Their up-convolutions turn the kernel by 180 degrees before it acts, the later code's do not.
                turned = layer == "Conv0_up" and part == "weight"
                value = outputs_first.flip(2, 3) if turned else outputs_first
                name = f"{start}b{side}.{known[layer]}.{PARTS.get(part, part)}"
                found[name] = value + 1 if part == "mod_bias" else value
    return found


def imported(foreign: Foreign) -> Imported:
    """The averaged G, and D where it is of a kind that there is here.

    Raises: UsageError when there is no G of StyleGAN2 in it, or one that cannot be built here.
    """
    G = _kept(of_tensorflow(foreign.network("G_ema", "Gs", "G", "")))
    if "synthesis.b4.const" not in G or "synthesis.b4.torgb.weight" not in G or "mapping.fc0.weight" not in G:
        raise UsageError("There is no generator of StyleGAN2 in this file; choose another --as.")
    D = _kept(of_tensorflow(foreign.network("D")))
    sides = sorted(int(name[1]) for name in map(re.compile(r"synthesis\.b(\d+)\.conv1\.weight").fullmatch, G) if name)
    widths = {side: len(G[f"synthesis.b{side}.conv1.weight"]) for side in sides}
    classes = G["mapping.embed.weight"].shape[1] if "mapping.embed.weight" in G else 0
    width = G["mapping.fc0.weight"].shape[0]
    layers = sum(re.fullmatch(r"mapping\.fc\d+\.weight", name) is not None for name in G)
    if G["mapping.fc0.weight"].shape[1] != width * (2 if classes else 1):
        raise UsageError("Its z and w have different lengths, and here they have the same.")
    most = max(widths.values())
    base = next((side * count for side, count in sorted(widths.items()) if count < most), most * sides[-1])
    if any(count != max(1, min(base // side, most)) for side, count in widths.items()):
        raise UsageError("Its feature maps follow no rule of StyleGAN2's; it cannot be built here.")
    top = sides[-1]
    # There is a third kind of D, which looks at the image at every size.
    looks = any(f"b{side}.fromrgb.weight" in D for side in sides[:-1])
    options: dict[str, Any] = {
        "resolution": top, "latent_dim": width, "channel_max": most, "channel_base": base, "mapping_layers": layers,
        "conditional": classes > 0, "discriminator": "resnet" if f"b{top}.skip.weight" in D or not D else "orig",
    }  # fmt: skip
    tensors = {f"G.{our_name(name)}": value for name, value in G.items()}
    if not looks:
        tensors |= {f"D.{our_name(name)}": value for name, value in D.items()}
    channels = len(G["synthesis.b4.torgb.weight"])
    data = DataSpec((channels, top, top), tuple(map(str, range(classes))))
    return Imported(options, data, tensors)


def _kept(network: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in network.items() if not name.endswith(FIXED)}
