"""Judging translations: what a model makes of one domain's images, beside the true answers where the data knows them.

A source of data that knows them has ``partner(index, size)``: item `index` as it would be in the other domain. Training
never sees it.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import interpolate, l1_loss

from ganzoo.api import Evidence, TranslationEvidence, UsageError

STEP = 127.5  # images are in [-1, 1]; differences are told in steps of 1/255


@dataclass(frozen=True)
class TranslationError:
    """Mean absolute difference from the true answers, in steps of 1/255: of the translations, and of doing nothing.

    A translation is worth something where its error is well below that of its image as it was. Pixels that the answer
    changes and those that it leaves are looked at apart: `translation-changed` is the share of images that in the
    former are nearer to the answer than to what they were, `translation-elsewhere` how far the latter moved.
    """

    def __call__(self, evidence: Evidence) -> dict[str, float]:
        if not isinstance(evidence, TranslationEvidence) or evidence.truth is None:
            raise UsageError("The metric translation needs data that knows the true answers, such as anime-hair.")
        truth, fake = evidence.truth, evidence.fake
        given = in_form_of(truth, evidence.given)
        turned = (truth - given).abs().amax(1, keepdim=True) > 0.5 / STEP  # [N, 1, H, W]
        to_truth, to_given = ((turned * (fake - each).abs()).sum((1, 2, 3)) for each in (truth, given))  # [N]
        left = (~turned).expand_as(fake)
        values = {
            "translation": STEP * l1_loss(fake, truth).item(),
            "translation-doing-nothing": STEP * l1_loss(given, truth).item(),
            "translation-changed": (to_truth < to_given).double().mean().item(),
        }
        if left.any():
            values["translation-elsewhere"] = STEP * l1_loss(fake[left], given[left]).item()
        return values


def in_form_of(others: Tensor, images: Tensor) -> Tensor:
    """Images [N, C, H, W] in the channels and size that others have: grey ones repeated, colours averaged, bicubic."""
    _, channels, *size = others.shape
    if list(images.shape[2:]) != size:
        images = interpolate(images, tuple(size), mode="bicubic", align_corners=False, antialias=True).clamp(-1, 1)
    return images if images.shape[1] == channels else images.mean(1, keepdim=True).expand(-1, channels, -1, -1)


@dataclass(frozen=True)
class CycleConsistency:
    """Mean absolute difference, in steps of 1/255, between images and what comes of them there and back."""

    def __call__(self, evidence: Evidence) -> dict[str, float]:
        if not isinstance(evidence, TranslationEvidence) or evidence.back is None:
            raise UsageError("The metric there-and-back is for models that translate between domains.")
        return {"there-and-back": STEP * l1_loss(evidence.back, evidence.given).item()}
