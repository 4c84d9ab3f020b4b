"""The augmentations of a run together: what D sees, real and generated alike, is altered by one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from ganzoo.contract.architecture import Progress, TrainingState
from ganzoo.contract.randomness import restore_shared, shared_state
from ganzoo.contract.schedules import at


class Augmentation(Protocol):
    """Alters what D sees, differentiably. One with a strength gives a state that is called in its place:
    ``state() -> AdaptiveAugmentation``.
    """

    def __call__(self, images: Tensor, /) -> Tensor:
        """images [B, C, H, W] -> the same shape and type, drawn anew for each item (`rows`) at each call."""


class AdaptiveAugmentation(TrainingState):
    """An augmentation with a strength, which what D says of real items or a schedule moves.

    Attributes:
        options: as they were given; what follows a schedule has its number of the moment.
        strength: scalar, kept in [0, 1] and logged; part of every checkpoint as all other buffers are.
    """

    strength: Tensor

    def __init__(self, options: Any, strength: float = 0.0) -> None:
        super().__init__()
        self.options = options
        self.register_buffer("strength", torch.full((), float(strength)))

    def forward(self, images: Tensor) -> Tensor:
        """images [B, C, H, W] -> the same shape, altered as much as `strength` says."""
        raise NotImplementedError

    def observe(self, d_real: Tensor) -> None:
        """Told in each turn of D what it says of augmented real items: logits [B, ...], detached, of this process and
        part of the batch. Adds up in buffers of its own: the gradient still needs `strength` as it was.
        """

    def begin_step(self, progress: Progress) -> None:
        """Told before each step, once whatever `--accumulate` says; every process is. The place to move `strength`."""


class Augmentations(TrainingState):
    """A run's augmentations, in order; called with images, it alters them by all of these."""

    def __init__(self, augmentations: Mapping[str, Any]) -> None:
        super().__init__()
        self.given = dict(augmentations)  # as the text has them
        self.changes = {name: each.state() if hasattr(each, "state") else each for name, each in self.given.items()}
        for name, state in self._adaptive().items():
            self.add_module(name.replace(".", "_"), state)

    def forward(self, images: Tensor) -> Tensor:
        for change in self.changes.values():
            images = change(images)
        return images

    def alike(self, *images: Tensor) -> tuple[Tensor, ...]:
        """Images of the same items, [B, C, H, W] each, altered by the same draws: pairs stay pairs."""
        if not self.changes:
            return images
        device = images[0].device
        state, altered = shared_state(device), []
        for each in images:
            restore_shared(state, device)
            altered.append(self(each))
        return tuple(altered)

    def begin_step(self, progress: Progress) -> None:
        """Strengths and options as they are now; see `AdaptiveAugmentation.begin_step`."""
        for name, given in self.given.items():
            change = self.changes[name]
            if not isinstance(change, AdaptiveAugmentation):
                self.changes[name] = at(given, progress)
                continue
            change.options = at(given, progress)
            change.begin_step(progress)
            with torch.no_grad():
                change.strength.clamp_(0, 1)

    def observe(self, d_real: Tensor) -> None:
        for state in self._adaptive().values():
            state.observe(d_real.detach())

    def watch(self) -> dict[str, Tensor]:
        """Each strength by the name it has in the log, ``"augment/ada"``."""
        return {f"augment/{name}": state.strength.clone() for name, state in self._adaptive().items()}

    def _adaptive(self) -> dict[str, AdaptiveAugmentation]:
        return {name: each for name, each in self.changes.items() if isinstance(each, AdaptiveAugmentation)}
