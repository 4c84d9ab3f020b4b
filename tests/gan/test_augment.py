"""DiffAugment against the authors' own numbers, and what its draws must be."""

from __future__ import annotations

import pytest
import torch
from support.golden_numbers import GRADIENT, OUTPUT, near, stored

from ganzoo.api import DiffAugment, UsageError
from ganzoo.contract.randomness import sharing
from ganzoo.gan.augment import brightness, contrast, cutout, saturation, translation

GOLDEN = stored("diffaugment")
IMAGES = GOLDEN["input/images"]  # [6, 3, 16, 24]


def draw(name: str) -> torch.Tensor:
    drawn = GOLDEN[f"input/{name}"]
    return drawn if drawn.is_floating_point() else drawn.flatten()


def color(images):
    images = saturation(brightness(images, draw("rand_brightness")), draw("rand_saturation"))
    return contrast(images, draw("rand_contrast"))


def move(images):
    return translation(images, draw("translation_rows"), draw("translation_cols"))


def cut(images):
    return cutout(images, draw("cutout_rows"), draw("cutout_cols"))


FUNCTIONS = {
    "brightness": lambda images: brightness(images, draw("rand_brightness")),
    "saturation": lambda images: saturation(images, draw("rand_saturation")),
    "contrast": lambda images: contrast(images, draw("rand_contrast")),
    "color": color,
    "translation": move,
    "translation_ratio_0.2": lambda images: translation(images, draw("translation02_rows"), draw("translation02_cols")),
    "cutout": cut,
    "color_translation_cutout": lambda images: cut(move(color(images))),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_golden(name):
    assert f"output/{name}" in GOLDEN
    assert near(FUNCTIONS[name](IMAGES), GOLDEN[f"output/{name}"], OUTPUT)


def test_gradients_flow_to_the_images():
    images = IMAGES.clone().requires_grad_()
    (FUNCTIONS["color_translation_cutout"](images) * GOLDEN["probe/all"]).sum().backward()
    assert near(images.grad, GOLDEN["grad/color_translation_cutout/input/images"], GRADIENT)


def test_all_of_it_keeps_shape_dtype_and_gradient():
    for dtype in (torch.float32, torch.bfloat16):
        images = torch.rand(4, 3, 16, 24).to(dtype).requires_grad_()
        out = DiffAugment()(images)
        out.float().sum().backward()
        assert (out.shape, out.dtype) == (images.shape, dtype)
        assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("policy", ["color", "translation", "cutout"])
def test_every_image_is_changed_by_its_own_draw(policy):
    torch.manual_seed(0)
    images = torch.rand(3, 16, 24).expand(32, -1, -1, -1)
    out = DiffAugment(policy)(images)
    different = {tuple(image.flatten().tolist()) for image in out}
    assert len(different) > 16


def test_drawn_anew_at_each_call():
    images = torch.rand(4, 3, 16, 24)
    change = DiffAugment()
    assert not torch.equal(change(images), change(images))


def test_shifts_and_holes_reach_as_far_as_the_paper_says_and_no_further():
    torch.manual_seed(0)
    images = torch.ones(2000, 1, 16, 24)
    moved = DiffAugment("translation")(images)[:, 0]
    rows_lost = 16 - moved.amax(2).sum(1)
    columns_lost = 24 - moved.amax(1).sum(1)
    assert sorted(set(rows_lost.tolist())) == [0, 1, 2]
    assert sorted(set(columns_lost.tolist())) == [0, 1, 2, 3]

    holes = 1 - DiffAugment("cutout")(images)[:, 0]
    heights, widths = holes.amax(2).sum(1), holes.amax(1).sum(1)
    assert heights.max() == 8
    assert widths.max() == 12
    assert heights.min() == 4, "a hole may hang out of the image by half"
    assert holes.amax(2).sum(0).min() > 0, "every row is hit"


def test_parts_of_a_batch_draw_what_the_whole_one_does():
    images = torch.rand(8, 3, 16, 24)
    torch.manual_seed(3)
    whole = DiffAugment()(images)
    for index, part in enumerate(images.chunk(2)):
        torch.manual_seed(3)
        with sharing(index, 2):
            assert torch.equal(DiffAugment()(part), whole.chunk(2)[index])


def test_policies():
    images = torch.rand(2, 3, 16, 24)
    torch.manual_seed(0)
    assert not torch.equal(DiffAugment("color")(images), images)
    with pytest.raises(UsageError, match="no 'colour'; it takes color, translation and cutout"):
        DiffAugment("colour,cutout")
