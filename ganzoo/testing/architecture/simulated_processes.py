"""Several processes in one: threads that take turns, each with the random streams that a process would have to itself.

Only one runs at a time. It hands over where processes would wait for each other, when they reduce or gather, so that
what they compute is what real processes would compute, without starting any.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from ganzoo.contract import distributed
from ganzoo.contract.randomness import Share, restore_shared, set_share, shared_state
from ganzoo.errors import GanzooError

T = TypeVar("T")
CPU = torch.device("cpu")


class Lockstep(distributed.Processes):
    """`count` processes on the CPU; `run` is called once."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._here = threading.local()  # .rank, .asked: of the thread that looks
        self._changed = threading.Condition()
        self._turn = 0
        self._ended: set[int] = set()
        self._given: list[dict[int, Tensor]] = []  # what each rank gave, by how often it had asked before

    def run(self, work: Callable[[], T]) -> list[T]:
        """What each process's `work` returns, by rank. Raises: what the first to fail raised."""
        results: dict[int, T] = {}
        errors: list[BaseException] = []
        before = shared_state(CPU)

        def live(rank: int) -> None:
            self._here.rank, self._here.asked = rank, 0
            self._wait(rank)
            restore_shared(before, CPU)
            set_share(Share())
            try:
                results[rank] = work()
            except BaseException as error:
                errors.append(error)
            finally:
                self._ended.add(rank)
                self._pass_on(rank)

        threads = [threading.Thread(target=live, args=(rank,), daemon=True) for rank in range(self._count)]
        with distributed.standing_in(self):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        set_share(Share())
        if errors:
            raise errors[0]
        return [results[rank] for rank in range(self._count)]

    def rank(self) -> int:
        return getattr(self._here, "rank", 0)

    def world(self) -> int:
        return self._count

    def reduce(self, values: Tensor, largest: bool = False) -> None:
        given = torch.stack(self._exchange(values))
        values.copy_(given.amax(0) if largest else given.sum(0))

    def gather(self, rows: Tensor) -> list[Tensor]:
        return self._exchange(rows)

    def _exchange(self, mine: Tensor) -> list[Tensor]:
        """What every process gave when it asked as often as this one has. Raises: GanzooError when one did not ask."""
        asked = self._here.asked
        self._here.asked += 1
        if asked == len(self._given):
            self._given.append({})
        given = self._given[asked]
        given[self.rank()] = mine.detach().clone()
        self._hand_over()
        if len(given) < self._count:
            raise GanzooError(
                "One process asks for what the others have, and the others do not: real processes would wait for each "
                "other for ever. Whatever reduces or gathers must be called as often on every process, so decide it "
                "by what all of them share (progress, or torch's own stream)."
            )
        shapes = {tensor.shape for tensor in given.values()}
        if len(shapes) > 1:
            raise GanzooError(f"Processes reduce or gather tensors of several shapes at once: {sorted(shapes)}.")
        return [given[rank] for rank in range(self._count)]

    def _hand_over(self) -> None:
        """Lets the others go on until it is this one's turn again."""
        streams, share = shared_state(CPU), set_share(Share())
        self._pass_on(self.rank())
        self._wait(self.rank())
        restore_shared(streams, CPU)
        set_share(share)

    def _pass_on(self, rank: int) -> None:
        order = [(rank + k) % self._count for k in range(1, self._count + 1)]
        with self._changed:
            self._turn = next((other for other in order if other not in self._ended), rank)
            self._changed.notify_all()

    def _wait(self, rank: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._turn == rank)
