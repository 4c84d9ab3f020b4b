"""What state dicts of the released R3GAN hold, in the names used here. The networks are the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganzoo.api import DataSpec, Foreign, Imported, UsageError

ENDS = {
    "ExtractionLayer.Layer.weight": "fromrgb.weight", "AggregationLayer.Layer.weight": "torgb.weight",
    "EmbeddingLayer.weight": "embedding.weight", "Basis": "basis", "Basis.weight": "basis.weight",
    "LinearLayer.weight": "linear.weight",
}  # fmt: skip
LAYERS = {f"LinearLayer{i}.Layer.weight": f"conv{i}.weight" for i in (1, 2, 3)} | {
    f"NonLinearity{i}.Bias": f"bias{i}" for i in (1, 2)
}
CHANGE = "LinearLayer.Layer.weight"  # from one stage's maps to another's, in the layer that resamples


def our_names(theirs: Mapping[str, Tensor], generator: bool) -> dict[str, str]:
    """Our name of each of a network's tensors, by theirs. Those that have none are left out."""
    changing = {name.split(".")[1] for name in theirs if name.endswith(f".{CHANGE}")}
    found = {}
    for name in theirs:
        match = re.fullmatch(r"MainLayers\.(\d+)\.Layers\.(\d+)\.(.+)", name)
        stage, number, rest = (match[1], int(match[2]), match[3]) if match else ("", 0, name)
        if rest in ENDS:
            found[name] = ENDS[rest]
        elif match and rest in LAYERS:
            # G's first stage begins with the basis, its others with the resampling, and the change before it.
            moved = (-1 if stage == "0" else int(stage in changing)) if generator else 0
            found[name] = f"stages.{stage}.{number + moved}.{LAYERS[rest]}"
        elif match and rest == CHANGE:  # D's comes behind its resampling
            found[name] = f"stages.{stage}.0.weight" if generator else f"stages.{stage}.{number + 1}.weight"
    return found


def imported(foreign: Foreign) -> Imported:
    """The averaged G, and D where it is in the file.

    Raises: UsageError when there is no G of R3GAN's in it, or one that cannot be built here.
    """
    G, D = _kept(foreign.network("G_ema", "G", "")), _kept(foreign.network("D"))
    names = our_names(G, generator=True)
    own = {names[name]: value for name, value in G.items() if name in names}
    if not {"basis", "linear.weight", "torgb.weight", "stages.0.0.conv1.weight"} <= set(own):
        raise UsageError("There is no generator of R3GAN's in this file; choose another --as.")
    blocks: dict[int, list[Tensor]] = {}
    for name, value in own.items():
        if match := re.fullmatch(r"stages\.(\d+)\.\d+\.conv3\.weight", name):
            blocks.setdefault(int(match[1]), []).append(value)
    widths = {4 << stage: len(found[0]) for stage, found in blocks.items()}
    side, most = max(widths), max(widths.values())
    base = next((size * width for size, width in sorted(widths.items()) if width < most), most * side)
    even = {len(found) for found in blocks.values()}
    embedding = own.get("embedding.weight")
    length = own["linear.weight"].shape[1] // (1 if embedding is None else 2)
    if (
        len(even) > 1
        or any(width != min(base // size, most) for size, width in widths.items())
        or (embedding is not None and len(embedding) != length)
    ):
        raise UsageError("Its stages are not as even as those of the published runs; it cannot be built here.")
    classes = 0 if embedding is None else embedding.shape[1]
    first = own["stages.0.0.conv1.weight"]
    options: dict[str, Any] = {
        "resolution": side, "latent_dim": length, "conditional": classes > 0, "channel_max": most, "channel_base": base,
        "blocks": even.pop(), "expansion": len(first) // first.shape[1],
        "group_width": own["stages.0.0.conv2.weight"].shape[1],
    }  # fmt: skip
    tensors = {f"G.{name}": value.reshape(len(value), 1, 1) if "bias" in name else value for name, value in own.items()}
    for theirs, name in our_names(D, generator=False).items():
        tensors[f"D.{name}"] = D[theirs].reshape(-1, 1, 1) if "bias" in name else D[theirs]
    data = DataSpec((len(own["torgb.weight"]), side, side), tuple(map(str, range(classes))))
    return Imported(options, data, tensors)


def _kept(network: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the outer module that the training code has, and the fixed filters."""
    return {name.removeprefix("Model."): value for name, value in network.items() if "Kernel" not in name}
