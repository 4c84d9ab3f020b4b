"""Augmentations by name: their grammar, their strength, and schedules along a run."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from ganzoo.api import (
    AdaptiveAugmentation,
    DiffAugment,
    Progress,
    UsageError,
    make_augmentation,
    make_penalties,
    option,
)
from ganzoo.contract.augmentation import Augmentations
from ganzoo.contract.schedules import parse_schedule
from ganzoo.runs.header import Extent

IMAGES = torch.rand(6, 3, 16, 24)


def drawn(change, images=IMAGES):
    torch.manual_seed(4)
    return change(images)


def moment(images: int) -> Progress:
    return Progress(images // 8, images, 0, 0, 1000)


@dataclass(frozen=True)
class Fading:
    """Images towards 0: the strength is what D is sure of, or an option's."""

    strength: float | None = option(None, "of itself; none: what D says", scheduled=True)

    def state(self):
        return Fade(self, 0.25)


class Fade(AdaptiveAugmentation):
    def __init__(self, options, strength):
        super().__init__(options, strength)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, images):
        return images * (1 - self.strength)

    def observe(self, d_real):
        assert not d_real.requires_grad
        self.seen.add_(d_real.mean())

    def begin_step(self, progress):
        if self.options.strength is not None:
            self.strength.fill_(self.options.strength)
        self.strength.add_(self.seen)
        self.seen.zero_()


def test_the_bare_name_is_all_three_as_before():
    assert torch.equal(drawn(make_augmentation("diffaug")), drawn(DiffAugment()))
    assert not make_augmentation("diffaug").state_dict()


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("diffaug:color=yes,translation=no,cutout=yes", "color,cutout"),
        ("diffaug:color=no,cutout=no", "translation"),
        ("diffaug:cutout=no+diffaug:ratio=0.25", None),
    ],
)
def test_changes_are_left_out_by_name(text, policy):
    if policy is None:
        with pytest.raises(UsageError, match="names diffaug twice; once is enough"):
            make_augmentation(text)
    else:
        assert torch.equal(drawn(make_augmentation(text)), drawn(DiffAugment(policy)))


def test_none_is_nothing():
    for text in ("none", ""):
        assert make_augmentation(text)(IMAGES) is IMAGES
    assert torch.equal(make_augmentation("diffaug:color=no,translation=no,cutout=no")(IMAGES), IMAGES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("diffaugg", "no augmentation 'diffaugg'; did you mean diffaug"),
        ("diffaug:colour=no", "the augmentation diffaug has no option 'colour'; did you mean color"),
        ("diffaug:color=maybe", "diffaug:color takes yes or no, not 'maybe'"),
    ],
)
def test_what_there_is_not_is_refused(text, message):
    with pytest.raises(UsageError, match=message):
        make_augmentation(text)


def test_points_are_not_augmented():
    with pytest.raises(UsageError, match="Images can be augmented, and this data set has none; use --augment none"):
        make_augmentation("diffaug", "point")


def test_a_strength_is_bounded_logged_and_in_the_state():
    augment = Augmentations({"fade": Fading()})
    assert set(augment.state_dict()) == {"fade.strength", "fade.seen"}
    augment.observe(torch.full((2,), 7.0, requires_grad=True))
    augment.begin_step(moment(0))
    assert augment.watch() == {"augment/fade": torch.tensor(1.0)}
    assert not augment(IMAGES).any()
    augment.observe(torch.full((2,), -7.0))
    augment.begin_step(moment(8))
    assert torch.equal(augment(IMAGES), IMAGES)


def test_a_strength_follows_a_schedule():
    augment = Augmentations({"fade": Fading(parse_schedule("linear:0:0.5"))})
    for images, strength in ((0, 0), (500, 0.25), (1000, 0.5)):
        augment.begin_step(moment(images))
        assert augment.watch()["augment/fade"] == pytest.approx(strength)


def test_a_strength_is_followed_and_stored_by_training(make_trainer):
    trainer = make_trainer()
    trainer.model.augment = Augmentations({"fade": Fading()})
    said = trainer.step()
    assert said["augment/fade"] == 0.25
    assert {key for key in trainer.state()[0] if "fade" in key} == {
        f"model/augment.fade.{name}" for name in ("strength", "seen")
    }
    assert not any("fade" in key for key in trainer.ema.tensors)


# ---- penalties by a schedule -----------------------------------------------------------------------------------------


def test_a_weight_follows_its_schedule():
    penalties = make_penalties("r1:gamma=linear:2:0,every=4+drift")
    assert [penalties["r1"].gamma, penalties.every] == [2.0, 4]
    for images, gamma in ((0, 2.0), (250, 1.5), (1000, 0.0)):
        penalties.begin_step(moment(images))
        assert penalties["r1"].gamma == gamma
        assert penalties["drift"].weight == 0.001


@pytest.mark.parametrize("every", [1, 2])
def test_training_follows_it_lazily_too(make_trainer, every):
    """A weight that is constant by a schedule trains to the same bit; one that falls is another weight later."""

    def trained(gamma):
        trainer = make_trainer(penalty=f"r1:gamma={gamma},every={every}")
        trainer.extent = Extent(0, 4 * trainer.batch_size)
        rows = [trainer.step() for _ in range(3)]
        return rows, trainer.model.state_dict()

    (plain, weights), (_, same) = trained("2"), trained("constant:2")
    assert all(torch.equal(weights[key], same[key]) for key in weights)
    falling, other = trained("linear:2:0")
    assert torch.equal(plain[0]["loss/D/r1"], falling[0]["loss/D/r1"])
    assert any(not torch.equal(weights[key], other[key]) for key in weights)


def test_a_weight_outside_its_range_is_refused():
    with pytest.raises(UsageError, match="r1:gamma linear:2:-1 is too small"):
        make_penalties("r1:gamma=linear:2:-1")
