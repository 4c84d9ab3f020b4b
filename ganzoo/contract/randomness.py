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
from typing import Any

import numpy
import torch
from torch import Tensor


def derive(*words: int | str) -> int:
    """A seed in [0, 2^63) that depends on every word and on nothing else."""
    digest = hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def seed_everything(*words: int | str) -> None:
    """Seeds Python's, NumPy's and torch's shared streams (of the CPU and every device in use) from the words."""
    seed = derive(*words)
    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    # Not torch.manual_seed: for each kind of device that is not in use it formats a traceback, a millisecond a step.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


def shared_state(device: torch.device) -> tuple[Any, ...]:
    """Where the shared streams of Python, NumPy, torch and the device are, for `restore_shared`."""
    accelerator = _accelerator(device)
    extra = accelerator.get_rng_state() if accelerator else None
    return random.getstate(), numpy.random.get_state(), torch.get_rng_state(), extra


def restore_shared(state: tuple[Any, ...], device: torch.device) -> None:
    """Sets the shared streams to where they were."""
    random.setstate(state[0])
    numpy.random.set_state(state[1])
    torch.set_rng_state(state[2])
    accelerator = _accelerator(device)
    if accelerator:
        accelerator.set_rng_state(state[3])


def _accelerator(device: torch.device) -> Any:
    """The torch module of the device's kind, torch.cuda or torch.mps; None for the CPU."""
    return {"cuda": torch.cuda, "mps": torch.mps}.get(device.type)


def stream(*words: int | str) -> torch.Generator:
    """A stream of its own on the CPU, for whatever must not touch the shared one (samples, metrics, data order)."""
    return torch.Generator().manual_seed(derive(*words))


@dataclass
class Share:
    """Which part of the global batch is computed here: part `index` of `parts` equal ones."""

    index: int = 0
    parts: int = 1


WHOLE = Share()
_share = WHOLE


def present_share() -> Share:
    """The part that `rows` returns here."""
    return _share


def set_share(share: Share) -> Share:
    """Says which part `rows` returns from here on; gives the one before."""
    global _share
    before, _share = _share, share
    return before


@contextmanager
def sharing(index: int, parts: int) -> Iterator[None]:
    """Within it, `rows` returns part `index` of `parts` of what it draws. Set by the trainer."""
    before = set_share(Share(index, parts))
    try:
        yield
    finally:
        set_share(before)


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
