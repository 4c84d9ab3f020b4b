"""A step in parts (`--accumulate`): the same step runs once for each part of the batch, side by side, turn by turn.

One part is the plain step, and none of this does anything to it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

import torch

from ganzoo.contract.architecture import Progress, Update
from ganzoo.contract.data_spec import Batch
from ganzoo.contract.randomness import Share, restore_shared, shared_state, sharing

Turns = Generator[Update]


class Parts:
    """The parts of one step of this process.

    Attributes:
        drawn: images of the global batches that each part has drawn.
    """

    def __init__(
        self,
        begin: Callable[[Iterator[Batch], Progress], Turns],
        draw: Callable[[int, int, Share], Batch],
        progress: Progress,
        size: int,
        process: Share,
        device: torch.device,
    ) -> None:
        """begin: the architecture's step; draw: the loader's batch at a position, of a size, for a share of it."""
        count, self._device = progress.parts, device
        self._shares = [Share(process.index * count + k, process.parts * count) for k in range(count)]
        self.drawn = [0] * count
        self._turns = [begin(self._batches(draw, progress, size, k), replace(progress, part=k)) for k in range(count)]
        # Parts that take turns draw alike: each has a random state of its own.
        self._random = [shared_state(device)] * count if count > 1 else []

    def turn(self, advance: Callable[[Turns], Update | None]) -> Iterator[Update]:
        """The next turn of every part, one after the other; nothing once the step is over.

        What follows the last yield of the step is run as well, of every part.
        """
        for k, turns in enumerate(self._turns):
            with self._own_random(k), sharing(self._shares[k].index, self._shares[k].parts):
                update = advance(turns)
            if update is not None:
                yield update

    def _batches(
        self, draw: Callable[[int, int, Share], Batch], progress: Progress, size: int, k: int
    ) -> Iterator[Batch]:
        while True:
            batch = draw(progress.images + self.drawn[k], size, self._shares[k])
            self.drawn[k] += size
            yield batch

    @contextlib.contextmanager
    def _own_random(self, k: int) -> Iterator[None]:
        if self._random:
            restore_shared(self._random[k], self._device)
        yield
        if self._random:
            self._random[k] = shared_state(self._device)
