"""The training step of every architecture: who moves, who owns backward, what is averaged, what is saved.

The model's `step` says what is computed; everything that must be right for all of them is here, once.
"""

from __future__ import annotations

import contextlib
import functools
import operator
from collections.abc import Generator, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.contract import distributed
from ganzoo.contract.architecture import Architecture, Progress, Update
from ganzoo.contract.data_spec import Batch
from ganzoo.contract.networks import is_generator, networks
from ganzoo.contract.randomness import Share, seed_everything
from ganzoo.contract.recompute import recomputed
from ganzoo.contract.schedules import Schedule, at, has_schedules
from ganzoo.contract.turns import ContractError, players
from ganzoo.data.loader import Loader
from ganzoo.errors import GanzooError, UsageError
from ganzoo.loop.accumulation import Parts
from ganzoo.loop.ema import EMA
from ganzoo.runs.checkpoint import under
from ganzoo.runs.header import Counters, Extent

SCALARS = {"step", "mu_product", "eta", "mu"}  # what torch's optimizers keep as one number of a parameter


@dataclass
class Trainer:
    """Trains a model on a loader's batches, one step at a time.

    Attributes:
        model: on its device, with its weights as they are now.
        batch_size: the global batch, over all processes and accumulated parts.
        precision: "fp32" or "bf16" (autocast).
        average: the averaged generators.
        accumulate: parts of the batch that each process computes one after the other before stepping.
        gradients: whether `step` also returns the norm of each network's gradient.
        rate: a factor on every learning rate.
        recompute: whether the networks' blocks keep their inputs alone and are computed again for the backward pass.
        config: the model's as it was given, with its schedules; at each step the model has the numbers of that moment.
        step_count, images, epoch, epoch_step: steps done; images drawn; passes completed; step the epoch began at.
    """

    model: Architecture
    loader: Loader
    seed: int = 0
    batch_size: int = 64
    precision: str = "fp32"
    half_life: float = 10_000
    accumulate: int = 1
    gradients: bool = False
    rate: float = 1.0
    recompute: bool = False
    extent: Extent = field(default_factory=Extent)

    def __post_init__(self) -> None:
        self.rank, self.world = distributed.rank(), distributed.world()
        self.device = self.model.device
        self.networks = networks(self.model)
        if self.recompute:
            recomputed(self.networks.values())
        self.config = self.model.config
        self.restart_ema()
        self.step_count = self.images = self.epoch = self.epoch_step = 0
        self.batches = 1.0  # that a step draws; known once one was taken
        self.finite = torch.ones((), dtype=torch.bool, device=self.device)
        self._reached: set[tuple[str, ...]] = set()
        self._phase: Hashable = self.model.phase(self.progress)
        self._fresh_optimizers()

    # ---- where we are ------------------------------------------------------------------------------------------

    @property
    def progress(self) -> Progress:
        extent = self.extent
        return Progress(
            self.step_count, self.images, self.epoch, extent.first_image, extent.last_image, self.accumulate
        )

    @property
    def done(self) -> bool:
        """Whether the present stage is over."""
        if self.extent.last_step is not None:
            return self.step_count >= self.extent.last_step
        return self.images >= self.extent.last_image

    @property
    def current_batch_size(self) -> int:
        """The global batch of the next step. Raises: UsageError when it does not split evenly."""
        size = self.model.batch_size(self.progress) or self.batch_size
        check_split(size, self.world, self.accumulate)
        return size

    @property
    def images_per_step(self) -> float:
        """Images that the next step draws, about: several critic turns may draw a batch each."""
        return self.batches * self.current_batch_size

    # ---- one step ----------------------------------------------------------------------------------------------

    def step(self) -> dict[str, Tensor]:
        """One step of the architecture; returns its losses and watch values by name, scalars still on the device.

        With `gradients` also ``"gradient/G"`` and its like: the norm over all of a network's parameters in its last
        turn, over the whole batch and before clipping.
        """
        # What follows a schedule has the value of this moment. A new phase begins with fresh optimizers.
        progress, size = self.progress, self.current_batch_size
        self._follow_schedules(progress)
        self.model.begin_step(progress)
        self._enter_phase(progress)
        self._set_rates(progress)

        # All that is random in a step follows from the seed and the step's number.
        seed_everything(self.seed, "step", self.step_count)
        self.model.train()
        parts = Parts(self._turns, self.loader.draw, progress, size, Share(self.rank, self.world), self.device)

        # Turn after turn, as the architecture yields them.
        log, moved = _Log(), set[str]()
        while updates := [self._backward(update, k) for k, update in enumerate(parts.turn(self._advance))]:
            # The gradient is that of the whole batch, over all parts and processes.
            names = self._resolve(updates[0])
            distributed.average_gradients(self._gradients(names))
            if self.gradients:
                log.values.update({f"gradient/{name}": self._gradient_norm(name) for name in names})

            # Whom the update names, and nobody else, moves.
            self._apply(names, updates[0])
            moved.update(names)
            log.add(updates)

        # What was drawn counts, and the average follows where a generator moved.
        self._finish(moved, parts.drawn[0])
        self.batches = parts.drawn[0] / size
        return log.values

    def _turns(self, batches: Iterator[Batch], progress: Progress) -> Generator[Update]:
        turns = self.model.step(batches, progress)
        if not isinstance(turns, Generator):
            raise ContractError(f"{self._name}.step yields nothing; it should yield an Update for each player's turn.")
        return turns

    def _advance(self, turn: Generator[Update]) -> Update | None:
        """The next turn of the step. Autocast is entered anew, because it keeps casts of the weights, which moved."""
        with self._autocast():
            before = self._modes()
            update = next(turn, None)
            if self._modes() != before:
                turn.close()
                torch.set_grad_enabled(True)
                raise ContractError(
                    f"{self._name}.step yields inside a block that changes grad mode or autocast, such as "
                    "torch.no_grad(); close the block before the yield."
                )
        return update

    def _backward(self, update: Update, part: int) -> Update:
        """Gradients of the update's terms for the networks it names, and for nobody else; those of parts add up."""
        names = self._resolve(update)
        parameters = self._parameters(names)
        if part == 0:
            for parameter in parameters:
                parameter.grad = None
        total = functools.reduce(operator.add, (term.float().reshape(()) for term in update.terms.values()))
        if total.requires_grad:
            torch.autograd.backward(total / self.accumulate, inputs=parameters)
        if (*names, update.name) not in self._reached:
            self._check_reached(names)
            self._reached.add((*names, update.name))
        self.finite &= total.detach().isfinite()
        return update

    def _gradient_norm(self, name: str) -> Tensor:
        """Of all of a network's parameters together; one that is not finite is noticed as a loss is."""
        norms = [gradient.norm() for gradient in self._gradients((name,))]
        norm = torch.stack(norms).norm() if norms else torch.zeros((), device=self.device)
        self.finite &= norm.isfinite()
        return norm

    def _apply(self, names: tuple[str, ...], update: Update) -> None:
        """Clips, steps."""
        parameters = self._parameters(names)
        if update.clip is not None:
            nn.utils.clip_grad_norm_(parameters, update.clip)
        for name in names:
            self.optimizers[name].step()
        for parameter in parameters:
            parameter.grad = None

    def _finish(self, moved: set[str], drawn: int) -> None:
        if not moved:
            raise ContractError(f"{self._name}.step yielded nothing; it should yield an Update for each player.")
        if not drawn:
            raise ContractError(f"{self._name}.step drew no batch; call next(batches).")
        self.step_count += 1
        self.images += drawn
        if any(is_generator(self.model, name) for name in moved):
            self.ema.update(self.model, drawn)
        if self.images // len(self.loader) > self.epoch:
            self.epoch = self.images // len(self.loader)
            self.epoch_step = self.step_count

    def _modes(self) -> tuple[bool, bool, bool]:
        kind = self.device.type
        return torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled(kind)

    # ---- networks and optimizers -------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return type(self.model).__name__

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.precision == "bf16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return contextlib.nullcontext()

    def _resolve(self, update: Update) -> tuple[str, ...]:
        """The networks that an update moves. Raises: ContractError for what is no sound one."""
        return players(update, self._name, self.networks, self.optimizers)

    def _parameters(self, names: tuple[str, ...]) -> list[nn.Parameter]:
        return [p for name in names for p in self.networks[name].parameters() if p.requires_grad]

    def _gradients(self, names: tuple[str, ...]) -> list[Tensor]:
        return [parameter.grad for parameter in self._parameters(names) if parameter.grad is not None]

    def _check_reached(self, names: tuple[str, ...]) -> None:
        for name in names:
            if all(parameter.grad is None for parameter in self.networks[name].parameters()):
                raise ContractError(
                    f"The update of {name} in {self._name}.step reaches no parameter of {name}: "
                    "something between the network and the loss is detached."
                )

    def restart_ema(self) -> None:
        """Begins the average anew at the model's present weights."""
        self.ema = EMA(self.model, self.half_life)

    def _new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """One for each network that has something to train."""
        trained = {name: self._parameters((name,)) for name in self.networks}
        return {name: self.model.optimizer(name, parameters) for name, parameters in trained.items() if parameters}

    def _fresh_optimizers(self) -> None:
        self.optimizers = self._new_optimizers()
        self._rates = {
            name: [group["lr"] for group in optimizer.param_groups] for name, optimizer in self.optimizers.items()
        }

    def _follow_schedules(self, progress: Progress) -> None:
        """The model's config, its optimizers' settings and the EMA's half-life, as they are now."""
        if isinstance(self.half_life, Schedule):
            self.ema.half_life = self.half_life.at(progress)
        if not has_schedules(self.config):
            return
        self.model.config = at(self.config, progress)
        for name, fresh in self._new_optimizers().items():
            self._rates[name] = [group["lr"] for group in fresh.param_groups]
            for group, now in zip(self.optimizers[name].param_groups, fresh.param_groups, strict=True):
                group.update({key: value for key, value in now.items() if key != "params"})

    def _enter_phase(self, progress: Progress) -> None:
        phase = self.model.phase(progress)
        if phase != self._phase:
            self._phase = phase
            self._fresh_optimizers()

    def _set_rates(self, progress: Progress) -> None:
        for name, optimizer in self.optimizers.items():
            factor = self.model.learning_rate(progress, name) * self.rate
            for group, rate in zip(optimizer.param_groups, self._rates[name], strict=True):
                group["lr"] = rate * factor

    def is_finite(self) -> bool:
        """Whether every loss so far was finite, and every weight and average is."""
        tensors = [*self.model.state_dict().values(), *self.ema.tensors.values()]
        finite = [self.finite, *(tensor.isfinite().all() for tensor in tensors if tensor.is_floating_point())]
        return bool(torch.stack(finite).all())

    # ---- the whole state ---------------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Tensor], Counters]:
        """Everything that training needs to go on."""
        tensors = {f"model/{key}": value for key, value in self.model.state_dict().items()}
        tensors.update({f"ema/{key}": value for key, value in self.ema.tensors.items()})
        scalars: dict[str, Any] = {}
        for name, optimizer in self.optimizers.items():
            for index, state in optimizer.state_dict()["state"].items():
                for key, value in state.items():
                    where = f"optimizer/{name}/{index}/{key}"
                    if isinstance(value, Tensor):
                        tensors[where] = value
                    else:
                        scalars[where] = value
        return tensors, Counters(
            self.step_count, self.images, self.epoch, self.epoch_step, self.ema.steps, repr(self._phase), scalars
        )

    def load_state(self, tensors: Mapping[str, Tensor], counters: Counters) -> None:
        """Takes up a state; optimizers keep the rates and betas of the model's present config.

        Raises: GanzooError when the tensors are not this model's.
        """
        _load_model(self.model, under("model/", tensors))
        for key, value in under("ema/", tensors).items():
            if (own := self.ema.tensors.get(key)) is None:
                continue
            if value.shape != own.shape or value.is_complex():
                raise GanzooError("The checkpoint is damaged: its averages are not those of these networks.")
            own.copy_(value)
        self.ema.steps = counters.ema_steps
        self.step_count, self.images = counters.step, counters.images
        self.epoch, self.epoch_step = counters.epoch, counters.epoch_step
        self._phase = self.model.phase(self.progress)
        self._fresh_optimizers()
        if repr(self._phase) == counters.phase:
            state = {**counters.optimizer, **tensors}
            for name, optimizer in self.optimizers.items():
                _load_optimizer(optimizer, under(f"optimizer/{name}/", state))


def check_split(batch: int, processes: int, accumulate: int) -> None:
    """Raises: UsageError when a global batch has no equal share for every process and part."""
    parts = processes * accumulate
    if batch % parts:
        of = " × ".join(f"{n} {what}" for n, what in ((processes, "processes"), (accumulate, "parts")) if n > 1)
        raise UsageError(
            f"A batch of {batch} does not split into {of}; use --batch-size {max(1, round(batch / parts)) * parts}."
        )


def _load_model(model: Architecture, tensors: Mapping[str, Tensor]) -> None:
    try:
        model.load_state_dict(dict(tensors))
    except RuntimeError as error:
        first = str(error).strip().splitlines()[-1].strip()
        raise GanzooError(
            f"The checkpoint does not fit {type(model).__name__} as configured ({first}); "
            "options that change the networks' shape cannot change within a run."
        ) from error


def _load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """State by ``"<index>/<key>"`` into an optimizer, whose rates and betas stay its own.

    Raises: GanzooError when it is not whole, or of other parameters.
    """
    by_index: dict[int, dict[str, Any]] = {}
    for where, value in state.items():
        index, _, key = where.partition("/")
        by_index.setdefault(int(index) if index.isdecimal() else -1, {})[key] = value
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    known = by_index.keys() <= {*range(len(parameters))}
    if known and type(optimizer).__module__.startswith("torch.optim"):  # others may keep what they like
        known = len({frozenset(each) for each in by_index.values()}) <= 1 and all(
            value.is_floating_point() and value.shape == (() if key in SCALARS else parameters[index].shape)
            for index, each in by_index.items() for key, value in each.items() if isinstance(value, Tensor)
        )  # fmt: skip
    if not known:
        raise GanzooError("The checkpoint is damaged: its optimizers' state is not that of these networks.")
    optimizer.load_state_dict({"state": by_index, "param_groups": optimizer.state_dict()["param_groups"]})


class _Log:
    """A step's values by name: of several turns of one network each term's newest, and the sum of those."""

    def __init__(self) -> None:
        self.values: dict[str, Tensor] = {}
        self._terms: dict[str, dict[str, Tensor]] = {}

    def add(self, updates: list[Update]) -> None:
        """A turn's losses and watch values, averaged over its parts."""
        turn = updates[0]
        terms = self._terms.setdefault(turn.logged, {})
        terms.update({name: _mean([update.terms[name] for update in updates]) for name in turn.terms})
        self.values[turn.logged] = functools.reduce(operator.add, terms.values())
        self.values.update({turn.logged_term(name): terms[name] for name in turn.terms if name != turn.name})
        self.values.update({name: _mean([update.watch[name] for update in updates]) for name in turn.watch})


def _mean(parts: list[Tensor]) -> Tensor:
    """The mean of all values, a tensor of its own: what is watched may be a buffer that moves on."""
    values = [part.detach().float() for part in parts]
    return (values[0] if len(values) == 1 else torch.stack(values)).mean()
