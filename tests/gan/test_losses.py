"""Adversarial losses against numbers that the papers' own formulas give."""

from __future__ import annotations

import math

import pytest
import torch
from support.golden_numbers import GRADIENT, OUTPUT, near, stored

from ganzoo.api import LossCard, UsageError, generator_loss, make_loss
from ganzoo.catalogue.builtin import LOSSES
from ganzoo.catalogue.catalogue import entries
from ganzoo.gan.losses import LeastSquares

REAL = [1.0, -0.5, 2.0, 0.3]
FAKE = [-1.0, 0.2, 0.7, -0.4]

# Computed in float64 from the papers' formulas on REAL and FAKE; the first two also by pytorch/examples' dcgan (BCE).
GOLDEN = {
    "nonsaturating": (1.1740559463487634, 0.8069004645463063),
    "minimax": (1.1740559463487634, -0.6819004645463063),
    "lsgan": (0.67875, 0.83625),
    "lsgan:a=-1,b=1,c=0": (1.05375, 0.21125),
    "hinge": (1.425, 0.125),
    "wasserstein": (-0.825, 0.125),
    "lsgan:half=1": (1.3575, 1.6725),
    "relativistic": (0.4685771406617201, 1.29357714066172),
    "relativistic-average": (0.4271873248217842, 1.252187324821784),
}


def in_float64(spec: str, real: torch.Tensor, fake: torch.Tensor) -> tuple[float, float]:
    """D's and G's loss as the formulas have it, in float64."""
    real, fake = real.double(), fake.double()
    log1p_exp = lambda x: torch.logaddexp(x, torch.zeros_like(x))  # noqa: E731
    if spec in ("minimax", "nonsaturating"):
        d = log1p_exp(-real).mean() + log1p_exp(fake).mean()
        g = -log1p_exp(fake).mean() if spec == "minimax" else log1p_exp(-fake).mean()
    elif spec.startswith("lsgan"):
        a, b, c = (-1, 1, 0) if "a=" in spec else (0, 1, 1)
        d, g = ((real - b) ** 2).mean() / 2 + ((fake - a) ** 2).mean() / 2, ((fake - c) ** 2).mean() / 2
        d, g = (2 * d, 2 * g) if "half=1" in spec else (d, g)
    elif spec == "relativistic":
        d, g = log1p_exp(fake - real).mean(), log1p_exp(real - fake).mean()
    elif spec == "relativistic-average":
        d = (log1p_exp(fake.mean() - real).mean() + log1p_exp(fake - real.mean()).mean()) / 2
        g = (log1p_exp(real - fake.mean()).mean() + log1p_exp(real.mean() - fake).mean()) / 2
    elif spec == "hinge":
        d, g = (1 - real).clamp(min=0).mean() + (1 + fake).clamp(min=0).mean(), -fake.mean()
    else:
        d, g = fake.mean() - real.mean(), -fake.mean()
    return float(d), float(g)


def test_every_loss_of_the_core_is_tested_here():
    core = {name for name, *_ in LOSSES}
    assert core <= {spec.partition(":")[0] for spec in GOLDEN}
    assert all(isinstance(entry.card, LossCard) for entry in entries("loss"))


@pytest.mark.parametrize("shape", [(4,), (2, 1, 2, 1)], ids=["vector", "patches"])
@pytest.mark.parametrize("spec", GOLDEN)
def test_golden(spec, shape):
    loss = make_loss(spec)
    real, fake = torch.tensor(REAL).view(shape), torch.tensor(FAKE).view(shape)
    assert loss.discriminator(real, fake).item() == pytest.approx(GOLDEN[spec][0], rel=1e-6)
    assert loss.generator(fake, real).item() == pytest.approx(GOLDEN[spec][1], rel=1e-6)


@pytest.mark.parametrize("spec", GOLDEN)
def test_bfloat16_logits_lose_nothing_more_than_their_own_rounding(spec):
    loss, generator = make_loss(spec), torch.Generator().manual_seed(0)
    real, fake = (torch.randn(257, generator=generator).mul(3).bfloat16() for _ in range(2))
    d, g = loss.discriminator(real, fake), loss.generator(fake, real)
    assert d.dtype == g.dtype == torch.float32
    assert (d.item(), g.item()) == pytest.approx(in_float64(spec, real, fake), rel=2e-6)


@pytest.mark.parametrize("logit", [-100.0, 0.0, 100.0])
@pytest.mark.parametrize("spec", GOLDEN)
def test_finite_at_extreme_logits(spec, logit):
    loss = make_loss(spec)
    real, fake = (torch.full((3,), logit, requires_grad=True) for _ in range(2))
    total = loss.discriminator(real, fake) + loss.generator(fake, real)
    total.backward()
    assert total.isfinite()
    assert real.grad.isfinite().all()
    assert fake.grad.isfinite().all()


def test_saturating_generator_starves_where_the_other_one_learns():
    slopes = {}
    for spec in ("minimax", "nonsaturating"):
        fake = torch.full((1,), -20.0, requires_grad=True)  # D is sure that this is fake
        make_loss(spec).generator(fake).backward()
        slopes[spec] = fake.grad.item()
    assert slopes["nonsaturating"] == pytest.approx(-1)
    assert -1e-8 < slopes["minimax"] < 0


@pytest.mark.parametrize("spec", GOLDEN)
def test_score_is_a_probability_where_the_loss_has_one(spec):
    score = make_loss(spec).score(torch.tensor([-2.0, 0.0, 2.0]).bfloat16())
    expected = [1 / (1 + math.exp(-x)) for x in (-2, 0, 2)] if spec in ("minimax", "nonsaturating") else [-2, 0, 2]
    assert score.dtype == torch.float32
    assert score.tolist() == pytest.approx(expected)


def test_make_loss_reads_constants():
    assert make_loss("lsgan:a=-1,c=0") == LeastSquares(a=-1.0, b=1.0, c=0.0)
    assert make_loss("ganzoo:lsgan:b=0.9") == LeastSquares(b=0.9)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("hing", "did you mean hinge"),
        ("", "There is no loss ''"),
        ("lsgan:d=1", "the loss lsgan has no option 'd'"),
        ("lsgan:a=one", r"lsgan:a takes a number, not 'one'"),
        ("lsgan:a=nan", r"lsgan:a takes a number, not 'nan'"),
        ("hinge:margin=2", "the loss hinge has no option 'margin'"),
    ],
)
def test_make_loss_refuses(spec, message):
    with pytest.raises(UsageError, match=message):
        make_loss(spec)


def test_relativistic_average_has_the_gradients_of_the_reference():
    numbers = {key: value.float() for key, value in stored("relativistic_average").items()}
    loss = make_loss("relativistic-average")
    real, fake = (numbers[f"input/{side}_scores"].clone().requires_grad_() for side in ("real", "fake"))
    d = loss.discriminator(real, fake)
    assert near(d, numbers["output/d_real"] + numbers["output/d_fake"], OUTPUT)
    of_real, of_fake = torch.autograd.grad(d, (real, fake))
    assert near(of_real, numbers["grad/d/input/real_scores"], GRADIENT)
    assert near(of_fake, numbers["grad/d/input/fake_scores"], GRADIENT)
    g = loss.generator(fake, real)
    assert near(g, numbers["output/g"], OUTPUT)
    assert near(torch.autograd.grad(g, fake)[0], numbers["grad/g/input/fake_scores"], GRADIENT)


def test_only_a_loss_that_compares_is_given_the_real_ones():
    asked = []
    fake = torch.tensor(FAKE)

    def d_real():
        asked.append(torch.is_grad_enabled())
        return torch.tensor(REAL)

    for entry in entries("loss"):
        generator_loss(make_loss(entry.name), fake, d_real)
        assert asked == ([False] if entry.name.startswith("relativistic") else []), entry.name
        asked.clear()
    with pytest.raises(TypeError, match=r"ganzoo\.api\.generator_loss"):
        make_loss("relativistic").generator(fake)
