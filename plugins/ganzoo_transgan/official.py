"""What checkpoints of the released TransGAN hold, in the names used here. G alone: D is trained anew."""

from __future__ import annotations

import math
import re
from typing import Any

from torch import Tensor

from ganzoo.api import DataSpec, Foreign, Imported, UsageError

PARTS = {
    "norm1.norm": "norm1", "norm2.norm": "norm2", "attn.qkv": "attention.qkv", "attn.proj": "attention.proj",
    "attn.relative_position_bias_table": "attention.bias_table", "attn.noise_strength_1": "attention.strength",
    "mlp.fc1": "mlp.0", "mlp.fc2": "mlp.2",
}  # fmt: skip


def our_name(theirs: str) -> str | None:
    """Our name of what the released G calls so; None for what is fixed."""
    if match := re.fullmatch(r"pos_embed_(\d)", theirs):
        return f"stages.{int(match[1]) - 1}.position"
    if match := re.fullmatch(r"(?:blocks|upsample_blocks\.(\d))\.block\.(\d+)\.(.+?)(\.weight|\.bias)?", theirs):
        stage = 0 if match[1] is None else int(match[1]) + 1
        return f"stages.{stage}.blocks.{match[2]}.{PARTS[match[3]]}{match[4] or ''}" if match[3] in PARTS else None
    return theirs.replace("l1.", "mlp.").replace("deconv.0.", "to_image.")


def imported(foreign: Foreign) -> Imported:
    """The averaged G, where the file has that.

    Raises: UsageError when there is no G of TransGAN's in it.
    """
    given = foreign.network("avg_gen_state_dict", "gen_state_dict", "")
    if not {"l1.weight", "pos_embed_1", "deconv.0.weight", "blocks.block.0.mlp.fc1.weight"} <= set(given):
        raise UsageError("There is no generator of TransGAN's in this file; choose another --as.")
    named = ((our_name(name), value) for name, value in given.items())
    own: dict[str, Tensor] = {name: value for name, value in named if name is not None}
    positions = [own[f"stages.{i}.position"] for i in range(sum("position" in name for name in own))]
    depths = [
        len({name.split(".")[3] for name in own if name.startswith(f"stages.{stage}.blocks.")})
        for stage in range(len(positions))
    ]
    side, table = math.isqrt(positions[-1].shape[1]), own.get("stages.0.blocks.0.attention.bias_table")
    first, width = "stages.0.blocks.0.", positions[0].shape[2]
    last = next((value for name, value in reversed(own.items()) if name.endswith("bias_table")), None)
    window = side if last is None else (math.isqrt(len(last)) + 1) // 2
    options: dict[str, Any] = {
        "resolution": side, "latent_dim": own["mlp.weight"].shape[1], "width_g": width, "depths_g": tuple(depths),
        "mlp_ratio": len(own[f"{first}mlp.0.weight"]) // width, "relative_g": table is not None,
        "norm": "layer" if f"{first}norm1.weight" in own else "pixel", "noise_g": f"{first}attention.strength" in own,
        "window": window if window < side else None,
    }  # fmt: skip
    if table is not None:
        options["heads"] = table.shape[1]
    channels = len(own["to_image.weight"])
    return Imported(options, DataSpec((channels, side, side)), {f"G.{name}": value for name, value in own.items()})
