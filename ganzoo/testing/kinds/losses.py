"""Losses: the right sign, the right player, float32 throughout, finite whatever D says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from ganzoo.catalogue.catalogue import Entry
from ganzoo.contract.architecture import Loss
from ganzoo.contract.options import build
from ganzoo.testing.check import Check, NotChecked, require
from ganzoo.testing.kinds.cards import check_card

SHAPES = ((6,), (6, 1, 3, 3))  # logits of whole images, and of patches
EXTREME = 100.0  # a logit whose exponential is no float32


def loss_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of an adversarial loss."""
    make = partial(_make, entry)
    for promise, check in PROMISES.items():
        yield Check(promise, name, "loss", partial(check, make), "loss")
    yield Check("card", name, "loss", partial(check_card, entry), "loss")


def _make(entry: Entry) -> Loss:
    """The loss with its default constants."""
    loss: Loss = build(entry.load(), {}, f"the loss {entry.name}")
    return loss


def check_scalar(make: Callable[[], Loss]) -> None:
    """A float32 scalar for logits of images and of patches, in float32 and in bfloat16."""
    loss = make()
    for shape in SHAPES:
        for dtype in (torch.float32, torch.bfloat16):
            real, fake = (_logits(0, shape, seed).detach().to(dtype) for seed in (1, 2))
            for name, value in _both(loss, real, fake).items():
                where = f"{name} of logits {list(shape)} in {str(dtype)[6:]}"
                require(value.numel() == 1, f"The {where} has the shape {list(value.shape)}; give the mean.")
                require(value.dtype == torch.float32, f"The {where} is {value.dtype}; begin with logits.float().")
            score = loss.score(real)
            require(score.shape == real.shape, f"score gives {list(score.shape)} for logits {list(shape)}; keep it.")


def check_finite(make: Callable[[], Loss]) -> None:
    """Finite, and with a finite gradient, whatever the logits."""
    loss = make()
    for dtype in (torch.float32, torch.bfloat16):
        for level in (-EXTREME, 0.0, EXTREME):
            real, fake = (torch.full((4,), sign * level, dtype=dtype, requires_grad=True) for sign in (1, -1))
            for name, value in _both(loss, real, fake).items():
                numbers = [each for each in (value, *_gradients(value, real, fake)) if each is not None]
                finite = all(each.isfinite().all() for each in numbers)
                require(
                    finite,
                    f"The {name} or its gradient is not finite for D(x) = {level:g} and D(G(z)) = {-level:g} in "
                    f"{str(dtype)[6:]}; write log(sigmoid(x)) as -softplus(-x), and take no exponential of a logit.",
                )
            require(bool(loss.score(real.detach()).isfinite().all()), f"score is not finite for a logit of {level:g}.")


def check_players(make: Callable[[], Loss]) -> None:
    """D learns from real and from generated images, G from its own."""
    for (who, what), gradient in _pulls(make()).items():
        held = gradient is not None and bool(gradient.any())
        require(held, f"The {who}'s loss gives {what} no gradient; it must depend on it, undetached.")


def check_signs(make: Callable[[], Loss]) -> None:
    """Minimised, D's loss raises D(x) and lowers D(G(z)); G's raises D(G(z))."""
    for (who, what), gradient in _pulls(make()).items():
        if gradient is None:
            raise NotChecked(f"The {who}'s loss gives {what} no gradient; see the check 'players'.")
        lowers = bool(gradient.mean() > 0)
        wrong = lowers != ((who, what) == ("discriminator", "D(G(z))")) and bool(gradient.any())
        require(
            not wrong,
            f"Minimising the {who}'s loss {'lowers' if lowers else 'raises'} {what}; turn its sign. D's numbers are "
            "logits, larger for what it takes for real: D is to raise D(x) and to lower D(G(z)), G to raise D(G(z)).",
        )


def _pulls(loss: Loss) -> dict[tuple[str, str], Tensor | None]:
    """The gradient of either loss for logits that are wrong for its player; None where it does not depend on them."""
    real, fake = _logits(-2, (8,), 1), _logits(2, (8,), 2)
    of_real, of_fake = _gradients(loss.discriminator(real, fake), real, fake)
    fake = _logits(-2, (8,), 2)
    (of_g,) = _gradients(loss.generator(fake, real.detach()), fake)
    return {("discriminator", "D(x)"): of_real, ("discriminator", "D(G(z))"): of_fake, ("generator", "D(G(z))"): of_g}


def _gradients(value: Tensor, *inputs: Tensor) -> tuple[Tensor | None, ...]:
    if not value.requires_grad:
        return (None,) * len(inputs)
    return torch.autograd.grad(value.sum(), inputs, allow_unused=True, retain_graph=True)


def _both(loss: Loss, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    return {"discriminator's loss": loss.discriminator(real, fake), "generator's loss": loss.generator(fake, real)}


PROMISES: dict[str, Callable[[Callable[[], Loss]], None]] = {
    "scalar": check_scalar,
    "stays finite": check_finite,
    "players": check_players,
    "signs": check_signs,
}


def _logits(level: float, shape: tuple[int, ...], seed: int) -> Tensor:
    stream = torch.Generator().manual_seed(seed)
    return (level + 0.5 * torch.randn(shape, generator=stream)).requires_grad_()
