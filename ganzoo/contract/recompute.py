"""Networks that keep less for the backward pass and compute it again there (`--recompute`).

Chen et al. 2016, arXiv:1604.06174. A block's forward pass keeps its inputs alone. In the backward pass it is done once
more, with buffers, random state and share of the batch as they were, so that gradients are the same to the bit and
nothing moves twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ganzoo.contract.randomness import present_share, restore_shared, set_share, shared_state
from ganzoo.errors import GanzooError

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
Around = Callable[..., Any]  # called with a block, its forward pass and what that is called with


def recomputed(networks: Iterable[nn.Module], around: Around | None = None) -> None:
    """Has the blocks of networks keep only their inputs, in place; or has `around` called for their forward pass."""
    for network in networks:
        for block in blocks(network):
            block.forward = partial(around or _kept_less, block, block.forward)


def blocks(network: nn.Module) -> list[nn.Module]:
    """The modules that are computed again, each as a whole: those of a list, or several of one class side by side,
    where they are most of the network; else all of it.
    """
    several = [*_blocks(network)]
    held = sum(parameter.numel() for block in several for parameter in block.parameters())
    return several if 2 * held > sum(parameter.numel() for parameter in network.parameters()) else [network]


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    alike = Counter(type(child) for child in module.children())
    for child in module.children():
        parts = next(child.children(), None) is not None
        if parts and not isinstance(child, CONTAINERS) and (isinstance(module, CONTAINERS) or alike[type(child)] > 1):
            yield child
        else:
            yield from _blocks(child)


def _kept_less(block: nn.Module, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if not torch.is_grad_enabled():
        return forward(*args, **kwargs)
    before = _AsBefore(block)
    versions = [each._version for each in args if isinstance(each, Tensor)]

    def contexts() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
        return nullcontext(), before

    made = checkpoint(
        forward, *args, use_reentrant=False, preserve_rng_state=False, context_fn=contexts, **kwargs
    )  # fmt: skip
    if versions != [each._version for each in args if isinstance(each, Tensor)]:
        raise GanzooError(
            f"{type(block).__name__} changes what it is given in place, so it cannot be computed again; leave out "
            "--recompute."
        )
    return made


class _AsBefore:
    """A block's buffers, the random state and the share of the batch as they were when it was made, for as long as it
    is entered, which may be several times.
    """

    def __init__(self, block: nn.Module) -> None:
        self._device = next((parameter.device for parameter in block.parameters()), torch.device("cpu"))
        self._random = shared_state(self._device)
        self._buffers = [
            (module, name, buffer.clone())
            for module in block.modules()
            for name, buffer in module.named_buffers(recurse=False)
        ]
        self._share = present_share()

    def __enter__(self) -> None:
        self._now = [module._buffers[name] for module, name, _ in self._buffers]
        for module, name, buffer in self._buffers:
            module._buffers[name] = buffer.clone()
        self._share_now, self._random_now = set_share(self._share), shared_state(self._device)
        restore_shared(self._random, self._device)

    def __exit__(self, *error: object) -> None:
        for (module, name, _), now in zip(self._buffers, self._now, strict=True):
            module._buffers[name] = now
        set_share(self._share_now)
        restore_shared(self._random_now, self._device)
