"""Randomness as a function of (seed, step): a resumed run equals an undisturbed one, and nothing needs saving.

Before each step the trainer seeds Python, NumPy and torch alike on every process. What belongs to an item of the batch
is drawn with `rows`, for the whole global batch, of which each process keeps its own rows.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor


def derive(*words: int | str) -> int:
    """A seed in [0, 2^63) that depends on every word and on nothing else."""
    digest = hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def seed_everything(*words: int | str) -> None:
    """Seeds Python's, NumPy's and torch's shared streams (every device) from the words."""
    seed = derive(*words)
    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def stream(*words: int | str) -> torch.Generator:
    """A stream of its own on the CPU, for whatever must not touch the shared one (samples, metrics, data order)."""
    return torch.Generator().manual_seed(derive(*words))


@dataclass
class Share:
    """Which part of the global batch is computed here: part `index` of `parts` equal ones."""

    index: int = 0
    parts: int = 1


_share = Share()


@contextmanager
def sharing(index: int, parts: int) -> Iterator[None]:
    """Within it, `rows` returns part `index` of `parts` of what it draws. Set by the trainer."""
    global _share
    before, _share = _share, Share(index, parts)
    try:
        yield
    finally:
        _share = before


def rows(
    shape: tuple[int, ...], draw: Callable[..., Tensor] = torch.randn, device: torch.device | str | None = None
) -> Tensor:
    """Draws for the global batch and returns this process's rows.

    Args:
        shape: of the rows wanted here, [B, ...]; the draw is [B * parts, ...].
        draw: called as ``draw(shape, device=device)``: torch.randn, torch.rand, or one of your own.
        device: where to draw; None for torch's default.
    """
    count = shape[0]
    whole = draw((count * _share.parts, *shape[1:]), device=device)
    return whole[count * _share.index : count * (_share.index + 1)]
