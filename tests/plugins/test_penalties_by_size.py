"""Rates, and weights of D's slope, follow the images' size, unless a preset is a published run's or measured at one."""

from __future__ import annotations

import math

import pytest
import torch

from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import catalogue, find
from ganzoo.catalogue.components import load_architecture, make_penalties
from ganzoo.contract.options import parse_spec
from ganzoo.plan.plan import plan_run

SLOPES = {"r1", "r2", "approximate-r1", "approximate-r2"}


def weights(penalty: str, side: int) -> dict[str, float]:
    """What each penalty of D's slope weighs at images of this side."""
    images = torch.zeros(2, 1, side, side)
    made = make_penalties(penalty)
    return {name: 2 * float(made[name].weigh(torch.ones(2), images)) for name in made if name in SLOPES}


@pytest.mark.parametrize(
    ("architecture", "preset", "expected"),
    [
        # Of the paper at 1024×1024, by the pixels as StyleGAN2's automatic settings have it.
        ("stylegan", None, {32: 0.009766, 64: 0.039063, 128: 0.15625, 256: 0.625, 512: 2.5, 1024: 10}),
        ("stylegan", "F", {64: 10, 256: 10, 1024: 10}),
        ("stylegan", "official-8gpu", {64: 10, 1024: 10}),
        ("stylegan", "small", {32: 10}),  # measured on digits
        ("stylegan", "small-64", {32: 0.075, 64: 0.3, 128: 1.2}),  # measured on faces
        ("stylegan2", None, {32: 0.009766, 64: 0.039063, 128: 0.15625, 256: 0.625, 512: 2.5, 1024: 10}),
        ("stylegan2", "config-f", {256: 10, 1024: 10}),
        ("stylegan2", "paper256", {256: 1}),
        ("stylegan2", "cifar", {32: 0.01}),
        ("stylegan2", "auto", {64: 0.0512, 128: 0.2048, 256: 0.8192}),
        ("stylegan2", "auto-1024", {1024: 52.4288}),
        ("r3gan", None, {32: 0.05, 64: 0.2, 128: 0.8, 256: 3.2}),
        ("r3gan", "small", {32: 1}),
        ("tonight", None, {32: 0.25, 64: 1, 128: 4}),
        ("tonight", "small-64", {64: 1, 128: 4}),
        ("tonight", "digits-32", {32: 1}),
        ("dcgan", None, {32: 0.25, 64: 1, 128: 4}),
        ("dcgan", "digits-32", {32: 3}),
    ],
)
def test_what_weighs_the_slope_at_each_size(architecture, preset, expected):
    for side, weight in expected.items():
        penalty = plan_run(architecture, "anime", preset=preset, resolution=side, steps=1).config.penalty
        found = weights(penalty, side)
        assert found, penalty
        assert list(found.values()) == pytest.approx([weight] * len(found), rel=1e-3), (side, penalty)


@pytest.mark.parametrize(
    ("architecture", "preset", "rates"),
    [
        # Those that NVlabs/stylegan (1e0d5c7) and NVlabs/stylegan2-ada-pytorch (d72cc7d, `auto`) have by the size.
        ("stylegan", None, {32: 1e-3, 64: 1e-3, 128: 1.5e-3, 256: 2e-3, 512: 3e-3, 1024: 3e-3}),
        ("stylegan", "official-1gpu", {1024: 3e-3}),
        ("stylegan", "small", {32: 1e-2, 128: 1e-2}),  # measured at one size
        ("stylegan2", "auto-{}", {32: 2.5e-3, 64: 2.5e-3, 128: 2.5e-3, 512: 2.5e-3, 1024: 2e-3}),
        ("progan", "official-1gpu", {512: 1e-3, 1024: 1.5e-3}),
        ("progan", "paper", {256: 1e-3, 1024: 1e-3}),
    ],
)
def test_rates_at_each_size_are_those_of_the_authors(architecture, preset, rates):
    for side, rate in rates.items():
        named = preset.format(side) if preset else None
        config = plan_run(architecture, "anime", preset=named, resolution=side, steps=1).config
        factors = getattr(config, "lr_factors", ())
        factor = factors[min(int(math.log2(side)) - 2, len(factors) - 1)] if factors else 1
        assert config.lr * factor == pytest.approx(rate), side


@pytest.mark.parametrize("architecture", ["progan", "wgan-gp", "transgan", "stargan"])
def test_wgan_gp_is_the_same_at_all_sizes(architecture):
    """Its target says how steep D is to be, which only scales D's numbers; the papers have one weight for all sizes."""
    penalty = load_architecture(find("architecture", architecture)).Config().penalty
    assert [parse_spec(part)[1] for part in penalty.split("+") if part.startswith("wgan-gp")] in (
        [{}],
        [{"weight": "10"}],
    )


def test_no_default_weighs_the_slope_alike_at_all_sizes():
    for entry in catalogue().entries("architecture"):
        config = load_architecture(entry).Config() if entry.distribution == DISTRIBUTION else None
        for name, given in map(parse_spec, filter(None, getattr(config, "penalty", "").split("+"))):
            assert name not in SLOPES or "at" in given, f"{entry.name}: say the side that its {name} is for, by at=SIDE"


@pytest.mark.parametrize("name", ["r1:gamma=10,at=1024", "r2:gamma=10,at=1024"])
def test_the_same_picture_is_penalised_alike_at_all_sizes(name):
    """D is the mean of the pixels, whose squared slope is 1 / (3 · pixels)."""
    (penalty,) = make_penalties(name).values()
    for side in (8, 16, 32):
        images = torch.rand(2, 3, side, side)
        value = penalty(lambda x: x.mean((1, 2, 3)), images, images, images, images)
        assert value.item() == pytest.approx(5 / 1024**2 / 3, rel=1e-5)
