"""Whether an augmentation that follows the sign of D's logits can know by it how sure D is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from math import isclose
from typing import Any

FAR = 8  # logits that no margin of a loss reaches


def reads_in_vain(options: Mapping[str, Any], modality: str) -> str:
    """The augmentations of a run, by its options, whose strength follows a sign that says nothing; "" for none."""
    from ganzoo.api import make_augmentation, make_loss

    loss, augment = options.get("loss"), options.get("augment")
    with suppress(Exception):  # a stranger's options of these names, and losses of more than two numbers
        if isinstance(loss, str) and isinstance(augment, str) and not sign_says_real(make_loss(loss)):
            changes = make_augmentation(augment, modality).changes
            return "+".join(name for name, change in changes.items() if getattr(change, "reads_sign", False))
    return ""


def sign_says_real(loss: Any) -> bool:
    """Whether, under a loss, logits above 0 mean real and those below 0 generated.

    A D that cannot tell the two says the same number of both, and learns to say the one for which the loss is smallest.
    That is 0 where the loss is the same on both sides of it, and larger far away.
    """
    import torch

    numbers = [torch.full((1,), number / 4) for number in range(-4 * FAR, 4 * FAR + 1)]
    losses = [float(loss.discriminator(number, number)) for number in numbers]
    even = all(isclose(left, right, abs_tol=1e-4) for left, right in zip(losses, reversed(losses), strict=True))
    return even and losses[0] > losses[len(losses) // 2] + 0.1
