"""What NVIDIA's pickles of StyleGAN hold, in the names and the order of axes used here. The networks are the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo.api import DataSpec, Foreign, Imported, UsageError

FUSED = 128  # from here on their convolutions that enlarge act with the kernel turned by 180 degrees


def imported(foreign: Foreign) -> Imported:
    """The averaged G, and D.

    Raises: UsageError when there is no G of StyleGAN in it, or one that cannot be built here.
    """
    G, D = foreign.network("G_ema", "Gs", "G", ""), foreign.network("D")
    if "4x4/Const/StyleMod/weight" not in G or "Dense0/weight" not in G or "4x4/Conv/weight" not in G:
        raise UsageError("There is no generator of StyleGAN in this file; choose another --as.")
    sides = [4, *sorted(int(name[1]) for name in map(re.compile(r"(\d+)x\d+/Conv1/weight").fullmatch, G) if name)]
    widths = [G[f"{side}x{side}/Conv{'1' if side > 4 else ''}/weight"].shape[3] for side in sides]
    latents, width = G["Dense0/weight"].shape
    if latents != width:
        raise UsageError("Its z and w have different lengths (or it takes classes), and here they have the same.")
    most, top = max(widths), len(sides) - 1
    base = next((side * count // 2 for side, count in zip(sides, widths, strict=True) if count < most), 0)
    options: dict[str, Any] = {
        "resolution": sides[-1], "latent_dim": latents, "fmap_max": most, "fmap_base": base or most * sides[-1] // 2,
        "mapping_layers": sum(re.fullmatch(r"Dense\d+/weight", name) is not None for name in G),
    }  # fmt: skip
    tensors = {f"G.{name}": value for name, value in _generator(G, sides).items()}
    if "4x4/Dense1/weight" in D:
        tensors |= {f"D.{name}": value for name, value in _discriminator(D, sides).items()}
    channels = len(G["ToRGB_lod0/bias"]) if "ToRGB_lod0/bias" in G else 3
    tensors |= {f"{name}.grown": torch.tensor(float(top)) for name in {name.split(".")[0] for name in tensors}}
    return Imported(options, DataSpec((channels, sides[-1], sides[-1])), tensors)


def _generator(G: Mapping[str, Tensor], sides: list[int]) -> dict[str, Tensor]:
    found = {"start.value": G["4x4/Const/const"][0]}
    if "dlatent_avg" in G:
        found["w_mean"] = G["dlatent_avg"]
    for name, value in G.items():
        if match := re.fullmatch(r"Dense(\d+)/(weight|bias)", name):
            found[f"mapping.dense.{match[1]}.{match[2]}"] = outputs_first(value)
        elif match := re.fullmatch(r"ToRGB_lod(\d+)/(weight|bias)", name):
            found[f"to_rgb.{len(sides) - 1 - int(match[1])}.{match[2]}"] = outputs_first(value)
        elif match := re.fullmatch(r"(\d+)x\d+/(Const|Conv|Conv0_up|Conv1)/(.+)", name):
            side, second = int(match[1]), match[2] in ("Conv", "Conv1")
            layer = f"layers.{2 * sides.index(side) + second}"
            convolution = "convolution.0.weight" if match[2] == "Conv0_up" else "convolution.weight"
            ours = {
                "bias": "bias", "Noise/weight": "strength", "StyleMod/weight": "style.weight",
                "StyleMod/bias": "style.bias", "weight": convolution,
            }  # fmt: skip
            if match[3] in ours:
                fused = match[2] == "Conv0_up" and match[3] == "weight" and side >= FUSED
                found[f"{layer}.{ours[match[3]]}"] = outputs_first(value).flip(2, 3) if fused else outputs_first(value)
    return found


def _discriminator(D: Mapping[str, Tensor], sides: list[int]) -> dict[str, Tensor]:
    found = {}
    last = {"Conv": "conv", "Dense0": "dense0", "Dense1": "dense1"}
    for name, value in D.items():
        if match := re.fullmatch(r"FromRGB_lod(\d+)/(weight|bias)", name):
            found[f"from_rgb.{len(sides) - 1 - int(match[1])}.{match[2]}"] = outputs_first(value)
        elif match := re.fullmatch(r"4x4/(Conv|Dense0|Dense1)/(weight|bias)", name):
            found[f"{last[match[1]]}.{match[2]}"] = outputs_first(value)
        elif match := re.fullmatch(r"(\d+)x\d+/(Conv0|Conv1_down)/(weight|bias)", name):
            layer = "conv0" if match[2] == "Conv0" else "conv1"
            found[f"blocks.{sides.index(int(match[1])) - 1}.{layer}.{match[3]}"] = outputs_first(value)
    return found


def outputs_first(value: Tensor) -> Tensor:
    """From TensorFlow's order of axes: kernels [k, k, I, O] and dense weights [I, O] have their outputs last."""
    return value.permute(3, 2, 0, 1) if value.dim() == 4 else value.T if value.dim() == 2 else value
