"""The checks of `ganzoo.testing` find what they are for: each broken architecture fails the one check that says why."""

from __future__ import annotations

from typing import ClassVar
from unittest.mock import ANY

import pytest
import torch
from tinyzoo.model import TinyGAN
from torch import nn

from ganzoo.api import Card, UsageError
from ganzoo.plugins import Entry
from ganzoo.testing import CheckFailed, checks


def entry(cls, **given) -> Entry:
    card = {
        "name": "broken", "title": "Broken", "year": 2000, "paper": "none", "summary": "For the tests.",
        "resolutions": (8,), "channels": (3,), "licence": "MIT", "api": 1, "model": cls,
    }  # fmt: skip
    return Entry("architecture", Card(**{**card, **given}), "broken", "ganzoo-broken", "1.0")


def failures(cls, **given) -> dict[str, str]:
    """The checks that fail, by name, with what they say."""
    found = {}
    for check in checks(entry(cls, **given)):
        try:
            check()
        except Exception as error:
            found[check.name] = str(error)
    return found


class Idle(TinyGAN):
    def __init__(self, config, data):
        super().__init__(config, data)
        self.G.idle = nn.Linear(3, 3)


class Excused(Idle):
    untrained: ClassVar = {"G.idle.": "for the tests"}


class Noisy(TinyGAN):
    def generate(self, z, label=None, truncation=1.0):
        return super().generate(z, label, truncation) + 0.1 * torch.randn(z.shape[0], 1, 1, 1)


class Centred(TinyGAN):
    def generate(self, z, label=None, truncation=1.0):
        images = super().generate(z, label, truncation)
        return images - images.mean(0, keepdim=True)


class Odd(TinyGAN):
    def generate(self, z, label=None, truncation=1.0):
        images = super().generate(z, label, truncation)
        return images if self.training else images[:, :, :7]


class Forgetful(TinyGAN):
    """Its rate follows a counter that no checkpoint has."""

    moves = 0

    def step(self, batches, progress):
        self.moves += 1
        for update in super().step(batches, progress):
            update.terms = {name: term * self.moves for name, term in update.terms.items()}
            yield update


class Fixed(TinyGAN):
    def generate(self, z, label=None, truncation=1.0):
        return super().generate(z, label, truncation).expand(len(z), -1, -1, -1)


class Deaf(TinyGAN):
    conditional = True

    def generate(self, z, label=None, truncation=1.0):
        return self.G(z)

    def judge(self, images, label=None):
        return self.D(images)


class Misstyled(TinyGAN):
    def mapping(self, z, label=None):
        return 2 * z

    def synthesis(self, w):
        return self.G(w)


class Picky(TinyGAN):
    def __init__(self, config, data):
        if data.channels != 3:
            raise UsageError("broken makes colour images only.")
        super().__init__(config, data)


class Preset(TinyGAN):
    presets: ClassVar = {"wrong": {"resolution": 7}}


CONDITIONAL = {"tasks": {"conditional"}}
BROKEN = [
    (Idle, {}, "trains", "G.idle.bias, G.idle.weight a gradient"),
    (Noisy, {}, "samples", "other images from the same inputs"),
    (Centred, {}, "samples", "other images in a smaller batch"),
    (Odd, {}, "samples", r"gives \(6, 3, 7, 8\) where \(6, 3, 8, 8\) belongs"),
    (Forgetful, {}, "resumes", "must be a buffer of a TrainingState"),
    (Fixed, {}, "exports", r"write z\.shape\[0\], not len\(z\)"),
    (Deaf, CONDITIONAL, "labels matter", "The label changes nothing"),
    (TinyGAN, CONDITIONAL, "card", "set conditional = True"),
    (TinyGAN, {"tasks": {"unconditional", "singing"}}, "card", "names the task singing"),
    (Misstyled, {}, "latents", r"synthesis\(mapping\(z, label\)\) is not generate"),
    (Picky, {"channels": (1, 3)}, "builds", "colour images only.*says that it can"),
    (Preset, {}, "presets", "sides must be even"),
    (TinyGAN, {"resolutions": (7,)}, "builds", "sides must be even"),
]


@pytest.mark.parametrize(("cls", "given", "check", "words"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_a_fault_is_found(cls, given, check, words):
    [found] = [each for each in checks(entry(cls, **given)) if each.name == check]
    with pytest.raises((CheckFailed, UsageError), match=words):
        found()


@pytest.mark.parametrize("cls", [TinyGAN, Excused, Forgetful], ids=lambda cls: cls.__name__)
def test_nothing_else_is(cls):
    assert failures(cls) == ({"resumes": ANY} if cls is Forgetful else {})


def test_checks_say_who_and_what():
    names = [str(check) for check in checks("tinygan")]
    ours = [name for name in names if not name.startswith("tiny loads")]
    assert ours[:4] == ["tinygan card", "tinygan builds", "tinygan presets", "tinygan unconditional 3x8x8 trains"]
    assert [str(check) for check in checks("tinygam")] == ["tinygam loads"]
