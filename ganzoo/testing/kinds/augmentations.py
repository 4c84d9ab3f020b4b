"""Augmentations: the shape stays, gradients reach the images, draws are the items' own, a strength stays in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

import torch
from torch import Tensor

from ganzoo.catalogue.catalogue import Entry
from ganzoo.contract.architecture import Progress
from ganzoo.contract.augmentation import AdaptiveAugmentation, Augmentations
from ganzoo.contract.distributed import rank
from ganzoo.contract.options import build
from ganzoo.contract.randomness import seed_everything, sharing
from ganzoo.testing.architecture.simulated_processes import Lockstep
from ganzoo.testing.check import Check, NotChecked, require
from ganzoo.testing.kinds.cards import check_card

SHAPES = ((4, 1, 16, 16), (4, 3, 16, 24))
STRENGTHS = (0.0, 0.5, 1.0)
STEPS = 64  # of a D that is always right, then of one that is always wrong


def augmentation_checks(entry: Entry, name: str) -> Iterator[Check]:
    """Every check of an augmentation; those that alter something need images."""
    for promise, check in PROMISES.items():
        yield Check(promise, name, "augmentation", partial(check, partial(_make, entry)), "augmentation")
    yield Check("card", name, "augmentation", partial(check_card, entry), "augmentation")


def _make(entry: Entry) -> Augmentations:
    """The augmentation with its default options, as a run has it."""
    if "image" not in entry.card.modalities:
        raise NotChecked("It is not for images, with which augmentations are tried here.")
    return Augmentations({entry.name: build(entry.load(), {}, f"the augmentation {entry.name}")})


def _each(make: Callable[[], Augmentations]) -> Iterator[tuple[Augmentations, Tensor, str]]:
    """The augmentation, images for it and a word for both, at several strengths where it has one."""
    for shape in SHAPES:
        seed_everything(1)
        images = torch.rand(shape) * 2 - 1
        for strength in STRENGTHS if make().watch() else (None,):
            augment = make()
            for state in augment.children():
                cast(AdaptiveAugmentation, state).strength.fill_(cast(float, strength))
            yield augment, images, f"images {list(shape)}" + ("" if strength is None else f" at strength {strength}")


def _drawn(augment: Augmentations, images: Tensor) -> Tensor:
    seed_everything(2)
    found: Tensor = augment(images)
    return found


def check_shape(make: Callable[[], Augmentations]) -> None:
    """Shape and type stay, under bfloat16 as well, all is finite, and the images given are left as they were."""
    for augment, images, what in _each(make):
        for type_ in (torch.float32, torch.bfloat16):
            given = images.to(type_)
            before = given.clone()
            found = _drawn(augment, given)
            require(
                found.shape == given.shape and found.dtype == type_,
                f"{what} of {type_} become {list(found.shape)} of {found.dtype}; keep shape and type.",
            )
            require(bool(found.isfinite().all()), f"{what} of {type_} are not finite any more.")
            require(torch.equal(given, before), f"The {what} that it is given are changed in place; alter a copy.")


def check_differentiable(make: Callable[[], Augmentations]) -> None:
    """G learns through it: the gradient reaches the images, and can be differentiated again for penalties."""
    for augment, images, what in _each(make):
        given = images.clone().requires_grad_()
        found = _drawn(augment, given)
        require(found.requires_grad, f"No gradient goes back to {what}; detach nothing, and round nothing.")
        (slope,) = torch.autograd.grad(found.square().sum(), given, create_graph=True)
        require(bool(slope.any()) and bool(slope.isfinite().all()), f"The gradient of {what} is 0, or not finite.")
        require(slope.requires_grad, f"The gradient of {what} cannot be differentiated again, as penalties do.")


def check_drawn_by_item(make: Callable[[], Augmentations]) -> None:
    """Draws are each item's own, from `rows`: half a batch is altered as it is within the whole one."""
    for augment, images, what in _each(make):
        whole = _drawn(augment, images)
        for index, half in enumerate(images.chunk(2)):
            with sharing(index, 2):
                found = _drawn(augment, half)
            require(
                torch.allclose(found, whole.chunk(2)[index], atol=1e-5),
                f"Half of the {what} is altered otherwise than within the whole batch; draw by `ganzoo.api.rows`.",
            )


def check_strength(make: Callable[[], Augmentations]) -> None:
    """A strength is in [0, 1] whatever D says, and its state goes on from a checkpoint as it would have without, also
    that of several processes, of which the first is asked for it.
    """
    augment = make()
    if not augment.watch():
        raise NotChecked("It has no strength.")
    again = make()
    for step in range(2 * STEPS):
        sign = 1.0 if step < STEPS else -1.0
        if step == STEPS // 2 + 1:  # between two steps, where a run is stopped
            again.load_state_dict(augment.state_dict())
        for each in (augment, again):
            each.begin_step(Progress(step, 1000 * step, 0, 0, 2000 * STEPS))
            each.observe(torch.full((1000,), sign if each is augment or step > STEPS // 2 else 0.0))
        for name, value in augment.watch().items():
            require(value.numel() == 1 and 0 <= float(value) <= 1, f"{name} is {value.tolist()}; keep it in [0, 1].")
    same = all(torch.equal(value, again.watch()[name]) for name, value in augment.watch().items())
    require(same, "From a checkpoint it goes on otherwise; keep all that it remembers in buffers.")

    def observed() -> dict[str, Tensor]:
        augment = make()
        augment.begin_step(Progress(0, 0, 0, 0, 2000 * STEPS))
        augment.observe(torch.full((1000,), 1.0 - 2 * rank()))
        return augment.state_dict()

    first, second = Lockstep(2).run(observed)
    differs = [name for name in first if not torch.equal(first[name], second[name])]
    require(
        not differs,
        f"Two processes remember different things, {', '.join(differs)}, and a checkpoint holds the first's: what D "
        "says is to go through ganzoo.api's mean_over_processes.",
    )


PROMISES: dict[str, Callable[[Callable[[], Augmentations]], None]] = {
    "shape": check_shape,
    "differentiable": check_differentiable,
    "drawn by item": check_drawn_by_item,
    "strength": check_strength,
}
