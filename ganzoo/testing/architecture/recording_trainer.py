"""A trainer that looks at what an architecture's step does: whom its updates train, and with what numbers."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase

from ganzoo.contract.architecture import Architecture, Progress, TrainingState, Update
from ganzoo.contract.data_spec import Batch
from ganzoo.contract.networks import networks
from ganzoo.loop.trainer import Trainer
from ganzoo.testing.architecture.cases import LENGTH, Case
from ganzoo.testing.check import NotChecked

STRIDES = 20  # steps, at as many places in the run; as many again beyond it where a parameter still waits
FEW = 4  # of a case beside a plain one


@dataclass
class Watching(Trainer):
    """A trainer that takes note.

    Attributes:
        waiting: parameters that no update has given a gradient yet.
        moved: half-sentences about buffers that change in the turn of another network.
        strays: half-sentences about gradients and changes that come to a network when it has no turn.
        pull: of each term, as "loss/D/r1", the largest number in its gradient for the networks it is to train; None
            while no parameter of theirs has any part in it.
        infinite: where a number that is not finite was first seen; "" while there is none.
        coarse: terms that are not float32.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.waiting: set[str] = set()
        self.strays: list[str] = []
        self.moved: list[str] = []
        self.pull: dict[str, float | None] = {}
        self.infinite = ""
        self.coarse: set[str] = set()
        self._named = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        self._turn: tuple[str, ...] = ()
        for name, parameter in self._named.items():
            if not name.startswith(tuple(self.model.untrained)):
                self.waiting.add(name)
            cast(Any, parameter).register_post_accumulate_grad_hook(partial(self._arrived, name))

    def _turns(self, batches: Iterator[Batch], progress: Progress) -> Generator[Update]:
        return self._watched(super()._turns(batches, progress))

    def _watched(self, turns: Generator[Update]) -> Generator[Update]:
        buffers = self._own_buffers()
        for update in turns:
            if isinstance(update, Update):  # of anything else the trainer complains
                self._look_at(update)
                self._turn = update.names
            before = {name: parameter._version for name, parameter in self._named.items()}
            yield update
            for name, parameter in self._named.items():
                if parameter._version != before[name] and not _is_of(name, self._turn):
                    self._stray(f"{name} changes in the turn of {' and '.join(self._turn)}")
            buffers = self._compare(buffers)
            self._turn = ()

    def _own_buffers(self) -> dict[str, Tensor]:
        """Copies of the networks' buffers that move in their own player's turns only, by name."""
        free = {
            f"{name}."
            for name, child in self.model.named_modules()
            if isinstance(child, (TrainingState, _BatchNorm, _NormBase))
        }
        return {
            name: buffer.clone()
            for name, buffer in self.model.named_buffers()
            if _is_of(name, tuple(self.networks)) and not name.startswith((*free, *self.model.any_turn))
        }

    def _compare(self, before: dict[str, Tensor]) -> dict[str, Tensor]:
        """Notes what moved since, from the beginning of this turn to its end; what there is now."""
        now = self._own_buffers()
        for name, buffer in now.items():
            same = name in before and buffer.shape == before[name].shape and torch.equal(buffer, before[name])
            text = f"{name} changes in the turn of {' and '.join(self._turn)}"
            if not same and not _is_of(name, self._turn) and text not in self.moved:
                self.moved.append(text)
        return now

    def _look_at(self, update: Update) -> None:
        parameters = [parameter for name, parameter in self._named.items() if _is_of(name, update.names)]
        for name, term in update.terms.items():
            key = update.logged_term(name)
            if not term.detach().isfinite().all():
                self._not_finite(key)
            if term.dtype != torch.float32:
                self.coarse.add(key)
            if not self.pull.get(key):
                self.pull[key] = largest_gradient(term, parameters)

    def _arrived(self, name: str, parameter: Tensor) -> None:
        if _is_of(name, self._turn):
            self.waiting.discard(name)
        else:
            self._stray(f"{name} gets a gradient out of turn")
        if parameter.grad is None or not parameter.grad.isfinite().all():
            self._not_finite(f"the gradient of {name}")

    def _stray(self, text: str) -> None:
        if text not in self.strays:
            self.strays.append(text)

    def _not_finite(self, what: str) -> None:
        self.infinite = self.infinite or f"{what} is not, in step {self.step_count}"


def _is_of(name: str, players: tuple[str, ...]) -> bool:
    """Whether a parameter's name, "G.AB.conv.weight", is one of these players', ("G",)."""
    return name.startswith(tuple(f"{player}." for player in players))


def largest_gradient(term: Tensor, parameters: list[Any]) -> float | None:
    """The largest number in the gradient of a scalar; None where it depends on none of the parameters."""
    if not (term.requires_grad and parameters):
        return None
    found = torch.autograd.grad(term.sum(), parameters, retain_graph=True, allow_unused=True)
    sizes = [gradient.abs().max() for gradient in found if gradient is not None]
    return float(torch.stack(sizes).max()) if sizes else None


@lru_cache(maxsize=1)
def watched(case: Case) -> tuple[Watching, Exception | None]:
    """A trainer that took `STRIDES` steps from the beginning of a run to its end, and what a step raised."""
    trainer, strides = case.trainer(Watching), FEW if case.beside else STRIDES
    try:
        for stride in range(2 * STRIDES):
            if stride >= strides and not trainer.waiting:
                break
            beyond = max(0, stride - strides)
            trainer.images = max(trainer.images, (LENGTH * stride // strides) << beyond)
            trainer.step()
    except Exception as error:
        return trainer, error
    return trainer, None


def watched_whole(case: Case) -> Watching:
    """The same. Raises: NotChecked where a step raises, which the check "trains" says."""
    trainer, error = watched(case)
    if error is not None:
        raise NotChecked("Its step fails; see the check 'trains'.")
    return trainer


def shared_parameters(model: Architecture) -> dict[str, str]:
    """Parameters that two networks have in common: what the one calls it by what the other does."""
    seen: dict[int, str] = {}
    common: dict[str, str] = {}
    for network, module in networks(model).items():
        for name, parameter in module.named_parameters():
            full = f"{network}.{name}"
            if seen.setdefault(id(parameter), full) != full:
                common[seen[id(parameter)]] = full
    return common
