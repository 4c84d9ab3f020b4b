"""Penalties: a float32 scalar whose gradient is all there, through D's own gradient too."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganzoo.catalogue.catalogue import Entry
from ganzoo.contract.options import build
from ganzoo.contract.penalties import Penalty
from ganzoo.contract.randomness import seed_everything
from ganzoo.testing.check import Check, NotChecked, require
from ganzoo.testing.kinds.cards import check_card

DIRECTIONS = 3  # random ones, along which a penalty's gradient is compared with what it does
EPSILON = 1e-2  # of the finite difference
OFF, NOISE = 5e-2, 2e-3  # what the gradient may be off, of itself and of its whole length
TURNS = {"images": (3, 8, 8), "points": (2,)}


def penalty_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of a penalty."""
    make = partial(_make, entry)
    for promise, check in PROMISES.items():
        yield Check(promise, name, "penalty", partial(check, make), "penalty")
    yield Check("card", name, "penalty", partial(check_card, entry), "penalty")


def _make(entry: Entry) -> Penalty:
    """The penalty with its default weights."""
    penalty: Penalty = build(entry.load(), {}, f"the penalty {entry.name}")
    return penalty


class _Turn:
    """A turn of a small, smooth D: its real and fake items, and a penalty on them."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        seed_everything(1)
        size = math.prod(shape)
        self.D = nn.Sequential(nn.Flatten(), nn.Linear(size, 8), nn.Softplus(), nn.Linear(8, 1), nn.Flatten(0))
        self.real, self.fake = (torch.rand(4, *shape) * 2 - 1 for _ in range(2))

    def discriminate(self, images: Tensor) -> Tensor:
        logits: Tensor = self.D(images)
        return logits + softplus(logits)  # a D that is linear in nothing

    def of(self, penalty: Penalty) -> Tensor:
        seed_everything(2)
        return penalty(
            self.discriminate, self.real, self.fake, self.discriminate(self.real), self.discriminate(self.fake)
        )


def check_scalar(make: Callable[[], Penalty]) -> None:
    """A finite float32 scalar for images and for points, under bfloat16 as well."""
    penalty = make()
    for what, shape in TURNS.items():
        for precision in ("float32", "bfloat16"):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                value = _Turn(shape).of(penalty)
            where = f"The penalty of {what} in {precision}"
            require(value.numel() == 1, f"{where} has the shape {list(value.shape)}; give the mean over the batch.")
            require(
                value.dtype == torch.float32,
                f"{where} is {value.dtype}; write .float() on gradients and logits, or use squared_norm.",
            )
            require(bool(value.isfinite().all()), f"{where} is not finite; a root of 0 has no derivative: add 1e-12.")


def check_second_order(make: Callable[[], Penalty]) -> None:
    """Its gradient reaches D's parameters, through D's own gradient where it takes that, and is what it should be."""
    penalty = make()
    for what, shape in TURNS.items():
        turn = _Turn(shape)
        parameters = list(turn.D.parameters())
        value = turn.of(penalty)
        if value.numel() != 1:
            raise NotChecked("It is no scalar; see the check 'scalar'.")
        require(
            value.requires_grad,
            f"The penalty of {what} depends on no parameter of D; take gradients with "
            "torch.autograd.grad(…, create_graph=True), and detach nothing behind it.",
        )
        found = torch.autograd.grad(value, parameters, allow_unused=True)
        gradients = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]
        size = sum(float(each.square().sum()) for each in gradients) ** 0.5
        for seed in range(DIRECTIONS):
            given, measured = _slopes(turn, penalty, parameters, gradients, seed)
            require(
                abs(given - measured) <= OFF * max(abs(given), abs(measured)) + NOISE * size + 1e-6,
                f"The gradient of the penalty of {what} says that it changes by {given:.3g} where it changes by "
                f"{measured:.3g}: a part of the gradient is lost. Use torch.autograd.grad(…, create_graph=True), "
                "detach nothing behind it, and call no compiled D.",
            )


def _slopes(
    turn: _Turn, penalty: Penalty, parameters: list[nn.Parameter], gradients: list[Tensor], seed: int
) -> tuple[float, float]:
    """By how much the penalty changes along a random direction, by its gradient and as measured."""
    stream = torch.Generator().manual_seed(seed)
    direction = [torch.randn(each.shape, generator=stream) for each in parameters]
    length = sum(float(each.square().sum()) for each in direction) ** 0.5
    given = sum(float((one * other).sum()) for one, other in zip(gradients, direction, strict=True)) / length
    ends = []
    for step in (EPSILON, -EPSILON):
        before = [parameter.detach().clone() for parameter in parameters]
        with torch.no_grad():
            for parameter, each in zip(parameters, direction, strict=True):
                parameter.add_(each, alpha=step / length)
        ends.append(float(turn.of(penalty).detach()))
        with torch.no_grad():
            for parameter, each in zip(parameters, before, strict=True):
                parameter.copy_(each)
    return given, (ends[0] - ends[1]) / (2 * EPSILON)


PROMISES: dict[str, Callable[[Callable[[], Penalty]], None]] = {
    "scalar": check_scalar,
    "second order": check_second_order,
}
