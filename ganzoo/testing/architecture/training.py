"""What an architecture promises while it trains."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from ganzoo.catalogue.modalities import modality_card
from ganzoo.contract import renamed
from ganzoo.contract.architecture import TrainingState
from ganzoo.contract.networks import is_generator
from ganzoo.contract.options import options
from ganzoo.contract.stored import as_json, from_json
from ganzoo.errors import UsageError
from ganzoo.loop.trainer import Trainer
from ganzoo.runs import checkpoint
from ganzoo.runs.header import Counters
from ganzoo.testing.architecture.cases import BATCH, Case
from ganzoo.testing.architecture.recording_trainer import Watching, shared_parameters, watched, watched_whole
from ganzoo.testing.architecture.simulated_processes import Lockstep
from ganzoo.testing.check import NotChecked, require

STEPS = 2
SECOND_ORDER = "r1"  # a penalty of the core whose gradient needs second derivatives of D
PROCESSES = 2
FIRST = "the first weights"
GIVEN = "what a generator is given"
APART = (1e-3, 1e-2)  # of a gradient's norm, that two processes may differ from one, at each step; ours came to 1e-6
# and, with weights that were rounded otherwise, 2e-3


@lru_cache(maxsize=1)
def trained(case: Case) -> tuple[Trainer, tuple[dict[str, Tensor], Counters]]:
    """A trainer after `STEPS` steps, and its state one step before. Raises: NotChecked when a step fails."""
    trainer = case.trainer(Trainer)
    try:
        for _ in range(STEPS - 1):
            trainer.step()
        tensors, counters = trainer.state()
        before = {name: tensor.clone() for name, tensor in tensors.items()}
        trainer.step()
    except Exception as error:
        raise NotChecked("Its step fails; see the check 'trains'.") from error
    return trainer, (before, counters)


def check_trains(case: Case) -> None:
    """Steps run, and some update gives every parameter a gradient, somewhere in a run."""
    trainer, error = watched(case)
    if error is not None:
        if case.data.modality != "image" and not case.model.modalities:
            takes = modality_card(case.data.modality).items
            error.add_note(f'So it is with {takes}; where it takes none, write modalities = ("image",) in the class.')
        raise error
    require(
        not trainer.waiting,
        f"No update gives {_some(trainer.waiting)} a gradient; its loss does not depend on it. "
        "Remove it, freeze it with requires_grad_(False), or say why in the class's `untrained`.",
    )


def check_players(case: Case) -> None:
    """A parameter gets its gradient from its own player's updates, and from nowhere else."""
    trainer = watched_whole(case)
    for name, other in shared_parameters(trainer.model).items():
        require(
            False,
            f"{name} is {other} too, so two optimizers step it; let one network own it, and have the other use it "
            "without keeping it as a child.",
        )
    require(
        not trainer.strays,
        f"{'; '.join(trainer.strays[:3])}. Gradients and steps are the trainer's, for the networks that an Update "
        "names: take backward() and optimizers out of `step`.",
    )


def check_state_in_turn(case: Case) -> None:
    """A network's buffers, but for batch norm's running statistics, change in its own player's turns only."""
    moved = watched_whole(case).moved
    require(
        not moved,
        f"{'; '.join(moved[:3])}. What a network remembers moves in its own player's turn: use ganzoo.api's "
        "spectral_norm for torch's, change your own buffer where its network is trained, or say why not in the "
        "class's `any_turn`.",
    )


def check_penalties(case: Case) -> None:
    """Every term of a loss trains whom it is meant to; penalties keep their second-order gradient."""
    idle = [name for name, pull in watched_whole(case).pull.items() if pull is None]
    require(
        not idle,
        f"No parameter of its networks has a part in {_some(idle)}: it is shown, and trains nothing. A penalty on a "
        "gradient needs torch.autograd.grad(…, create_graph=True), and nothing detached behind it.",
    )
    _check_sliced(case)
    option = options(case.model.Config).get("penalty")
    if option is None or option.kinds != (str,) or option.choices:
        return
    found = _penalised(case, SECOND_ORDER)
    require(bool(found), f"With --penalty {SECOND_ORDER} no Update has a term of that name; `step` leaves it out.")
    gone = [key for key, pull in found.items() if not pull]
    require(
        not gone,
        f"With --penalty {SECOND_ORDER} the gradient of {_some(gone)} is gone: D has no second derivative. "
        "Do not compile or detach what a penalty differentiates.",
    )
    lazy = f"{SECOND_ORDER}:every=2"
    require(
        bool(_penalised(case, lazy)),
        f"With --penalty {lazy} no Update has a term of that name. After D's update write `yield from "
        "self.penalties.lazy_turn(…)`, or `yield from self.lazy_turn(…)` of two domains.",
    )


def _check_sliced(case: Case) -> None:
    """With --san, which a D takes that names its last layer, a term trains that layer's direction."""
    if "san" not in options(case.model.Config) or not getattr(getattr(case.build(), "D", None), "last_layer", ""):
        return
    trainer = dataclasses.replace(case, config=dataclasses.replace(case.config, san=True)).trainer(Watching)
    trainer.step()
    require(
        any(pull for key, pull in trainer.pull.items() if key.endswith("/direction")),
        "With --san no term trains the direction of D's last layer. Where D has a turn of its own write `logits, "
        "direction = self.sliced(images, label)` for `self.discriminate(images, label)`, give D's Update the term "
        '"direction": direction_fake.mean() - direction_real.mean(), and call self.slicing.normalise() after it; or '
        "take last_layer from D, and --san is refused.",
    )


def _penalised(case: Case, penalty: str) -> dict[str, float | None]:
    """The pull of a penalty's terms in the first steps with it: as soon as there is one, and each trains D."""
    config = dataclasses.replace(case.config, penalty=penalty)
    trainer = dataclasses.replace(case, config=config).trainer(kind=Watching)
    found: dict[str, float | None] = {}
    for _ in range(STEPS):
        try:
            trainer.step()
        except RuntimeError as error:
            error.add_note(
                f"So it is with --penalty {penalty}, for which D must be differentiable twice: fused attention is "
                "not, an explicit softmax is."
            )
            raise
        found = {key: pull for key, pull in trainer.pull.items() if key.rpartition("/")[2].startswith(SECOND_ORDER)}
        if found and all(found.values()):
            break
    return found


def check_finite(case: Case) -> None:
    """Nothing is NaN or infinite in twenty steps."""
    trainer = watched_whole(case)
    require(
        not trainer.infinite,
        f"Numbers are to stay finite, and {trainer.infinite}. It is usually a logarithm or a root of 0, a division by "
        "a norm without an epsilon, or a learning rate too large for the defaults.",
    )
    require(trainer.is_finite(), "A weight, a buffer or an average is not finite; look for a division by 0.")


def check_seed(case: Case) -> None:
    """The first weights are a function of the seed."""
    first, again, other = (case.build(seed).state_dict() for seed in (0, 0, 1))
    differs = [name for name in first if not torch.equal(first[name], again[name])]
    require(
        not differs,
        f"The same seed gives other first weights: {_some(differs)}. Draw them from torch, NumPy or Python's random, "
        "all of which are seeded before it is built; keep no generator of your own, and nothing between two builds.",
    )
    same = all(torch.equal(first[name], other[name]) for name in first)
    require(not same, "Every seed gives the same first weights; take torch.manual_seed out of what builds them.")


def check_state(case: Case) -> None:
    """A checkpoint holds the whole state of training, and gives it back bit for bit."""
    trainer, _ = trained(case)
    _check_buffers(trainer)
    (expected, wanted), (given, got) = trainer.state(), _restored(case, *trainer.state()).state()
    differs = [key for key in expected if key not in given or not _same(expected[key], given[key])]
    require(
        not differs and set(given) == set(expected) and got == wanted,
        f"A checkpoint gives back another state than it was given: {_some(differs) or 'its counters'}. "
        "What load_state_dict takes must be what state_dict gave; buffers keep their shape and type.",
    )


def _check_buffers(trainer: Trainer) -> None:
    saved = set(trainer.model.state_dict())
    for name, child in trainer.model.named_modules():
        if isinstance(child, TrainingState):
            lost = [f"{name}.{buffer}" for buffer, _ in child.named_buffers() if f"{name}.{buffer}" not in saved]
            require(
                not lost,
                f"{_some(lost)} of a TrainingState is in no checkpoint; register it without persistent=False.",
            )


def _restored(case: Case, tensors: dict[str, Tensor], counters: Counters) -> Trainer:
    """A trainer of other first weights that took up a state from a file."""
    restored = case.trainer(Trainer, seed=1)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "checkpoint.safetensors"
        checkpoint.save(file, tensors, as_json(counters))
        tensors, facts = checkpoint.load(file)
        restored.load_state(tensors, from_json(Counters, facts, file, "see `TrainingState`"))
    return restored


def check_resumes(case: Case) -> None:
    """A run that is stopped after a step and taken up goes on as if it had not been, bit for bit."""
    trainer, state = trained(case)
    try:
        resumed = _restored(case, *state)
    except Exception as error:
        raise NotChecked("A checkpoint cannot be taken up; see the check 'state'.") from error
    resumed.step()
    (expected, wanted), (given, got) = trainer.state(), resumed.state()
    differs = [key for key in expected if key not in given or not _same(expected[key], given[key])]
    require(
        not differs and set(given) == set(expected) and got == wanted,
        f"A resumed run goes on differently ({_some(differs) or 'its counters'}); what the step remembers must "
        "be a buffer of a TrainingState, and what it draws must come from torch, NumPy or rows().",
    )


def check_bf16(case: Case) -> None:
    """A step runs in bfloat16 too; losses are worked out in float32 and stay finite, weights stay float32."""
    watched_whole(case)
    trainer = case.trainer(Watching, precision="bf16", batch_size=BATCH // 2)
    kinds = {name: tensor.dtype for name, tensor in trainer.model.state_dict().items()}
    try:
        trainer.step()
    except RuntimeError as error:
        error.add_note(
            "So it is with --precision bf16, where layers give bfloat16: bring both sides to one type first."
        )
        raise
    require(
        not trainer.coarse,
        f"Under --precision bf16 {_some(trainer.coarse)} is not float32; write .float() on what a loss is made of.",
    )
    require(not trainer.infinite, f"Under --precision bf16 numbers are to stay finite, and {trainer.infinite}.")
    changed = [name for name, tensor in trainer.model.state_dict().items() if tensor.dtype != kinds[name]]
    require(not changed, f"Training in bfloat16 changes the type of {_some(changed)}; weights and state stay float32.")


def check_processes(case: Case) -> None:
    """Two processes, each with half of every batch, give the gradients and the state that one gives: with the whole
    batch or, where an architecture normalises over the batch, with two parts of it one after the other.
    """
    watched_whole(case)
    over_batch = case.entry.card.batch_statistics
    (one,) = Lockstep(1).run(lambda: _traces(case, accumulate=PROCESSES if over_batch else 1))
    halves = Lockstep(PROCESSES).run(lambda: _traces(case))
    if any(not torch.equal(part[0][FIRST], one[0][FIRST]) for part in halves):
        raise NotChecked("Each process begins with other weights; see the check 'seed'.")
    fed = [trace[0].pop(GIVEN, None) for trace in (*halves, one)][:PROCESSES]
    other = f"one that takes {PROCESSES} halves in turn" if over_batch else "one with all of it"
    advice = "" if over_batch else "; say batch_statistics=True on the card if it normalises over the batch"
    for step, (whole, *parts) in enumerate(zip(one, *halves, strict=True)):
        for name, expected in whole.items():
            for part in parts:
                given = part.get(name)
                same = given is not None and given.shape == expected.shape
                away = (given - expected).norm() / (expected.norm() + 1e-7) if same and given is not None else 1.0
                require(
                    bool(away <= APART[step]),
                    f"Two processes with half of the batch each are not {other}: {name} differs, in step {step}. What "
                    "belongs to an item of the batch must come from rows() (or self.noise), what is measured on the "
                    "batch through mean_over_processes(), and what parts of a step add up to is divided by "
                    f"progress.parts{advice}.",
                )
    require(
        fed[0] is None or fed[1] is None or not torch.equal(fed[0], fed[1]),
        "Two processes give their generators the same inputs, so that half of the batch is there twice; draw them by "
        "rows() (or self.noise).",
    )


class Even(torch.optim.Optimizer):
    """Steps of the rate's size along the gradient. Adam's first has the sign of each number, in which arithmetic in
    another order turns those near 0 around.
    """

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        super().__init__([dict(group) for group in groups], {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            moving = [parameter for parameter in group["params"] if parameter.grad is not None]
            size = torch.cat([parameter.grad.flatten() for parameter in moving]).square().mean().sqrt() if moving else 0
            for parameter in moving:
                parameter.sub_(group["lr"] * parameter.grad / (size + 1e-12))


def _traces(case: Case, accumulate: int = 1) -> list[dict[str, Tensor]]:
    """Of each step the gradient of every network when its optimizer steps, flat, and the training state after it; with
    the first, the weights before it, and what a generator is first given.
    """
    trainer = case.trainer(Trainer, accumulate=accumulate)
    trainer.optimizers = {name: Even(each.param_groups) for name, each in trainer.optimizers.items()}
    weights = torch.cat([parameter.detach().flatten() for parameter in trainer.model.parameters()])
    found: list[dict[str, Tensor]] = []

    def note(name: str, optimizer: torch.optim.Optimizer) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        gradients = [p.grad.flatten() if p.grad is not None else torch.zeros(p.numel()) for p in parameters]
        key, times = f"the gradient of {name}", 1
        while key in found[-1]:
            times += 1
            key = f"the gradient of {name} in its turn {times}"
        found[-1][key] = torch.cat(gradients).clone()

    def take(module: torch.nn.Module, given: tuple[Any, ...]) -> None:
        if given and isinstance(given[0], Tensor):
            found[0].setdefault(GIVEN, given[0].detach().clone())

    for name, network in trainer.networks.items():
        if is_generator(trainer.model, name):
            network.register_forward_pre_hook(take)
    for name, optimizer in trainer.optimizers.items():
        optimizer.register_step_pre_hook(lambda optimizer, *_, name=name: note(name, optimizer))
    for _ in range(STEPS):
        found.append({} if found else {FIRST: weights})
        trainer.step()
        for name, child in trainer.model.named_modules():
            if isinstance(child, TrainingState):
                found[-1].update({f"{name}.{key}": b.detach().float().clone() for key, b in child.named_buffers()})
    return found


def _same(one: Tensor, other: Tensor) -> bool:
    """Bit for bit."""
    return one.dtype == other.dtype and one.shape == other.shape and torch.equal(one, other)


def _some(names: Any) -> str:
    """The first few of these names."""
    names = sorted(names)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def check_comparing_loss(case: Case) -> None:
    """With `--loss relativistic`, where there is such an option, G's loss is given D(x) of the same real items."""
    if "loss" not in options(type(case.config)):
        return
    watched_whole(case)
    try:
        trainer = dataclasses.replace(case, config=dataclasses.replace(case.config, loss="relativistic")).trainer(
            Trainer
        )
    except UsageError as error:
        raise NotChecked(f"It takes no --loss relativistic: {error}") from error
    advice = "write generator_loss(self.loss, d_fake, lambda: self.D(real)) for self.loss.generator(d_fake)"
    for _ in range(STEPS):
        try:
            trainer.step()
        except TypeError as error:
            require("compares" not in str(error), f"Its step gives no D(x) to a loss that compares; {advice}.")
            raise


def check_names(case: Case) -> None:
    """Nothing of it is called as contract 1 called it; to a class of contract 2 those names will be free one day."""
    with suppress(Exception):  # another check says why
        case.trainer(Trainer).step()
    classes = {*case.model.__mro__, *type(case.config).__mro__}
    found = sorted(set().union(*(renamed.used.get(each, ()) for each in classes)))
    now = renamed.OPTIONS | renamed.methods(case.model) | renamed.ATTRIBUTES
    advice = ", ".join(f"{name} is {now[name]} now" for name in found)
    require(not found, f"Its card says api={case.entry.card.api} and it uses names of contract 1: {advice}.")


PROMISES: dict[str, Callable[[Case], None]] = {
    "trains": check_trains,
    "players": check_players,
    "state in turn": check_state_in_turn,
    "penalties": check_penalties,
    "stays finite": check_finite,
    "comparing loss": check_comparing_loss,
    "names": check_names,
    "seed": check_seed,
    "state": check_state,
    "resumes": check_resumes,
    "bf16": check_bf16,
    "two processes": check_processes,
}
