"""How often a run writes what it writes: rows, lines, curves, sheets, checkpoints and models."""

from __future__ import annotations

import math

RECORD_EVERY = 10  # steps between rows of metrics.jsonl; reading values makes a GPU wait
LINE_EVERY = 50  # steps between classic lines, as in the tutorial
CURVES_SECONDS = 10  # between drawings of the curves, at the least: epochs may be short
CHECKPOINT_SECONDS = 600  # between checkpoints, at the most
MODEL_SECONDS = 60  # between models to sample from, at the most
DENSE = 10  # first epochs that all have a sheet and a checkpoint
SPARSE_IMAGES = 5_000  # between sheets, at the most, where epochs are shorter than that


def sheets_until(epoch: int, items: int) -> int:
    """How many sheets there are by default after so many epochs of so many items.

    One an epoch; where epochs are shorter than 5,000 items, after the first ten one whenever a tenth more has been
    drawn than at the one before, or 5,000 images. Else 300 photos have a sheet and a checkpoint every 19 steps.
    """
    if epoch <= DENSE or items >= SPARSE_IMAGES:
        return epoch
    even = max(DENSE, SPARSE_IMAGES * DENSE / items)  # epochs; from there on a tenth is more than 5,000 images
    return int(DENSE + DENSE * math.log(min(epoch, even) / DENSE) + max(0.0, epoch - even) * items / SPARSE_IMAGES)
