"""Names of the layers of the growing networks in the stored numbers."""

from __future__ import annotations

LEVELS = {"level8": 1, "fade16": 1.3, "level16": 2}  # the mode's name: how far it has grown


D_NAMES = {
    **{
        f"4x4/{theirs}/{part}": f"{ours}.{part}"
        for theirs, ours in (("Conv", "conv"), ("Dense0", "dense0"), ("Dense1", "dense1"))
        for part in ("weight", "bias")
    },
    **{
        f"{side}x{side}/{theirs}/{part}": f"blocks.{block}.{ours}.{part}"
        for block, side in enumerate((8, 16))
        for theirs, ours in (("Conv0", "conv0"), ("Conv1_down", "conv1"))
        for part in ("weight", "bias")
    },
    **{f"FromRGB_lod{lod}/{part}": f"from_rgb.{2 - lod}.{part}" for lod in range(3) for part in ("weight", "bias")},
}
