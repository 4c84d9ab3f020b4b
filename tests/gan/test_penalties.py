"""Penalties on D: values and gradients of the references, DRAGAN by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.golden_numbers import GRADIENT, OUTPUT, near, stored
from support.golden_numbers import weights as weights_of
from torch.nn import functional as F

import ganzoo.gan.penalties
from ganzoo.api import DiffAugment, UsageError, make_penalties, squared_norm
from ganzoo.catalogue.catalogue import entries
from ganzoo.contract.randomness import rows
from ganzoo.gan.penalties import (
    R1,
    R2,
    ApproximateR1,
    ApproximateR2,
    Dragan,
    Drift,
    MeanDrift,
    WganGp,
    approximate_squared_norm,
    gradient,
)

GOLDEN = stored("gradient_penalties")
ALL = {
    "r1": R1(), "r2": R2(), "approximate-r1": ApproximateR1(), "approximate-r2": ApproximateR2(), "wgan-gp": WganGp(),
    "dragan": Dragan(), "drift": Drift(), "mean-drift": MeanDrift(),
}  # fmt: skip


@pytest.fixture
def draws(monkeypatch):
    """A list of tensors that the penalties get instead of random ones."""
    queue: list[torch.Tensor] = []

    def rows(shape, draw=torch.randn, device=None):
        drawn = queue.pop(0)
        assert tuple(drawn.shape) == tuple(shape)
        return drawn

    monkeypatch.setattr(ganzoo.gan.penalties, "rows", rows)
    return queue


# ---- a quadratic, in float64 ---------------------------------------------------------------------------------------

X = torch.arange(32, dtype=torch.float64).reshape(4, 2, 2, 2) / 10 - 1
X_FAKE = -X.flip(0) * 0.5
W = torch.linspace(0.1, 0.8, 8, dtype=torch.float64).reshape(2, 2, 2)
ALPHA = torch.tensor([0.1, 0.4, 0.6, 0.9], dtype=torch.float64).view(4, 1, 1, 1)  # share of the real image


def quadratic(images: torch.Tensor) -> torch.Tensor:
    return (W.to(images.dtype) * images * images).sum((1, 2, 3))


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [
        (WganGp(), 49.635593740483976),
        (WganGp(target=750), 9.933236592400645),
        (R1(), 55.776),
        (R2(), 13.944),
        (R1(gamma=1), 5.5776),
    ],
    ids=repr,
)
def test_a_quadratic_critic(penalty, expected, draws):
    draws.append(ALPHA)
    value = penalty(quadratic, X, X_FAKE, quadratic(X), quadratic(X_FAKE))
    assert value.item() == pytest.approx(expected, rel=1e-6)


def test_dragan_by_hand(draws):
    """D(x) = x²/2, whose slope is x. Items 0 and 2: std √2, so each moves by 0.5 · √2 · 0.5 · 0.5 = √2/8.

    The slopes are √2/8 and 2 + √2/8, so the mean of (slope - 1)² is 1 + 2/64, and ten times that 10.3125.
    """
    draws += [torch.full((2, 1), 0.5), torch.full((2, 1), 0.5)]
    real = torch.tensor([[0.0], [2.0]])
    value = Dragan(weight=10, spread=0.5)(lambda x: (x * x / 2).sum(1), real, real, real, real)
    assert value.item() == pytest.approx(10.3125, rel=1e-6)


def test_dragan_ignores_the_fakes_and_stays_near_the_data():
    seen = []

    def judge(images):
        seen.append(images.detach())
        return quadratic(images)

    real = X.float()
    Dragan(spread=0.5)(judge, real, X_FAKE.float(), quadratic(real), quadratic(real))
    moved = seen[0] - real
    assert moved.min() >= 0
    assert 0 < moved.max() <= 0.5 * real.std()


def test_drift():
    """ProGAN's mean of squares, and TransGAN's square of the mean."""
    real, fake = torch.tensor([1.0, -0.5, 2.0, 0.3]), torch.tensor([-1.0, 0.2, 0.7, -0.4])
    value = Drift()(quadratic, X, X_FAKE, real.bfloat16(), fake)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(0.001335, rel=2e-3)
    assert Drift()(quadratic, X, X_FAKE, real, fake).item() == pytest.approx(0.001335, rel=1e-6)
    assert MeanDrift()(quadratic, X, X_FAKE, real, fake).item() == pytest.approx(0.00049, rel=1e-6)
    assert MeanDrift(weight=2)(quadratic, X, X_FAKE, real.bfloat16(), fake).dtype == torch.float32


# ---- a convolutional critic ----------------------------------------------------------------------------------------


def critic(weights: dict[str, torch.Tensor], padding: str, images: torch.Tensor) -> torch.Tensor:
    """Three convolutions of kernel 5 and stride 2 with LeakyReLU, then dense. "same" is TensorFlow's padding."""
    x = images
    for layer in ("conv1", "conv2", "conv3"):
        x = F.pad(x, (1, 2, 1, 2) if padding == "same" else (2, 2, 2, 2))
        x = F.leaky_relu(F.conv2d(x, weights[f"{layer}/weight"], weights[f"{layer}/bias"], stride=2), 0.2)
    return F.linear(x.flatten(1), weights["output/weight"], weights["output/bias"]).flatten()


@pytest.mark.parametrize("padding", ["same", "pad2"])
@pytest.mark.parametrize(
    ("penalty", "name"), [(WganGp(), "gp_lambda10"), (R1(), "r1_gamma10"), (R2(), "r2_gamma10")], ids=repr
)
def test_a_convolutional_critic(penalty, name, padding, draws):
    weights = {key: value.clone().requires_grad_() for key, value in weights_of(GOLDEN).items()}
    real, fake = GOLDEN["input/real"], GOLDEN["input/fake"]
    draws.append(1 - GOLDEN["input/alpha"])  # stored as the share of the fake image
    judge = lambda images: critic(weights, padding, images)  # noqa: E731
    d_real, d_fake = judge(real), judge(fake)
    assert near(d_real, GOLDEN[f"output/{padding}/d_real"], OUTPUT)
    assert near(d_fake, GOLDEN[f"output/{padding}/d_fake"], OUTPUT)

    value = penalty(judge, real, fake, d_real, d_fake)
    assert near(value, GOLDEN[f"output/{padding}/{name}"], OUTPUT)
    value.backward()
    keys = [key for key in GOLDEN if key.startswith(f"grad/{padding}/{name}/")]
    assert len(keys) >= 4
    for key in keys:
        parameter = weights[key.split("/", 3)[3]]
        ours = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        assert near(ours, GOLDEN[key], GRADIENT), key


@pytest.mark.parametrize("padding", ["same", "pad2"])
def test_norms_per_item_and_drifts(padding):
    judge = lambda images: critic(weights_of(GOLDEN), padding, images)  # noqa: E731
    real, fake = GOLDEN["input/real"], GOLDEN["input/fake"]
    for images, name in ((real, "r1"), (fake, "r2")):
        assert near(squared_norm(judge, images), GOLDEN[f"output/{padding}/{name}_grad_norm_squared"], OUTPUT)
    for penalty, name in ((Drift(), "mean_of_square"), (MeanDrift(), "square_of_mean")):
        value = penalty(judge, real, fake, judge(real), judge(fake))
        assert near(value, GOLDEN[f"output/{padding}/drift_{name}_x0.001"], OUTPUT)


# ---- without second derivatives --------------------------------------------------------------------------------------


def test_the_approximate_norm_goes_to_the_slope_along_its_noise():
    """At noise n it is (grad D(x) . n)^2 up to an error that shrinks as sigma does."""
    torch.manual_seed(0)
    judge = torch.nn.Sequential(torch.nn.Linear(6, 12), torch.nn.Softplus(), torch.nn.Linear(12, 1)).double()
    images, errors = torch.randn(8, 6).double(), []
    for sigma in (1e-1, 1e-2, 1e-3):
        torch.manual_seed(0)
        found = approximate_squared_norm(judge, images, sigma)
        torch.manual_seed(0)
        along = (gradient(judge, images) * rows((8, 6))).sum(1).square()
        errors.append(((found - along).abs().sum() / along.sum()).item())
    assert errors[0] > 5 * errors[1] > 25 * errors[2]


@pytest.mark.parametrize(
    ("approximate", "exact"), [(ApproximateR1(sigma=1e-3), R1()), (ApproximateR2(sigma=1e-3), R2())]
)
def test_the_approximate_penalties_approach_the_exact_ones(approximate, exact):
    """And so does their gradient for D: averaged over the noise, by as much as that average may be off."""
    torch.manual_seed(0)
    judge = torch.nn.Sequential(torch.nn.Linear(6, 12), torch.nn.Softplus(), torch.nn.Linear(12, 1)).double()
    real, fake = (torch.randn(1, 6).double().expand(20_000, -1) for _ in range(2))
    slopes = []
    for penalty in (approximate, exact):
        value = penalty(judge, real, fake, judge(real), judge(fake))
        slopes.append((value.item(), *torch.autograd.grad(value, [judge[0].weight, judge[2].weight])))
    assert slopes[0][0] == pytest.approx(slopes[1][0], rel=0.05)
    for ours, theirs in zip(slopes[0][1:], slopes[1][1:], strict=True):
        assert (ours - theirs).norm() < 0.1 * theirs.norm()


def test_the_approximate_norm_changes_nothing_but_the_image():
    """Both images are augmented alike, or the difference of two augmentations would be taken for a slope."""
    torch.manual_seed(0)
    w, augment = torch.randn(3, 8, 8), DiffAugment("color,translation")
    found = approximate_squared_norm(lambda x: (augment(x) * w).sum((1, 2, 3)), torch.rand(64, 3, 8, 8), 1e-3)
    assert found.max() < 100 * w.square().sum()


# ---- what holds for each -------------------------------------------------------------------------------------------


def test_every_penalty_of_the_core_is_tested_here():
    assert {entry.name for entry in entries("penalty") if entry.distribution == "ganzoo"} <= set(ALL)


@pytest.mark.parametrize("name", [name for name in ALL if "drift" not in name])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_gradient_reaches_d_through_the_second_derivative(name, precision):
    """A linear layer's slope does not depend on the images: only the second derivative can reach its weight."""
    torch.manual_seed(0)
    net = torch.nn.Linear(3 * 4 * 4, 1, bias=False)
    real, fake = torch.rand(5, 3, 4, 4), torch.rand(5, 3, 4, 4, requires_grad=True)
    judge = lambda images: net(images.flatten(1)).flatten()  # noqa: E731
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        value = ALL[name](judge, real, fake, judge(real), judge(fake.detach()))
    assert value.shape == ()
    assert value.dtype == torch.float32
    value.backward()
    assert net.weight.grad.abs().sum() > 0
    assert net.weight.grad.isfinite().all()
    assert fake.grad is None, "the penalty is no business of G's"


@pytest.mark.parametrize("name", ALL)
def test_weight_scales_it(name):
    field = "gamma" if name.endswith(("r1", "r2")) else "weight"
    once, thrice = (make_penalties(f"{name}:{field}={size}")[name] for size in (2, 6))
    values = []
    for penalty in (once, thrice):
        torch.manual_seed(4)
        values.append(penalty(quadratic, X.float(), X_FAKE.float(), quadratic(X), quadratic(X_FAKE)).item())
    assert values[1] == pytest.approx(3 * values[0])


@pytest.mark.parametrize("name", ["r1", "r2", "wgan-gp", "dragan"])
def test_bfloat16_images_are_judged_in_float32(name):
    """The slope of <w, x> is w exactly, and stays so where the images come in bfloat16, as G's do under autocast."""
    torch.manual_seed(0)
    w = torch.rand(3, 4, 4) + 0.1
    judge = lambda images: (images.float() * w).sum((1, 2, 3))  # noqa: E731
    real, fake = torch.rand(5, 3, 4, 4), torch.rand(5, 3, 4, 4).bfloat16()
    value = ALL[name](judge, real, fake, judge(real), judge(fake)).item()
    square = np.sum(w.double().numpy() ** 2)
    assert value == pytest.approx(5 * square if name in ("r1", "r2") else 10 * (np.sqrt(square) - 1) ** 2, rel=1e-5)


@pytest.mark.parametrize("name", ["wgan-gp", "dragan"])
def test_a_critic_that_is_flat_somewhere_gets_no_nan(name):
    """Where D's slope is 0 (all its units asleep), the root's derivative is infinite; D must not become NaN by it."""
    net = torch.nn.Linear(8, 1)
    torch.nn.init.zeros_(net.weight)
    images = torch.rand(4, 8)
    value = ALL[name](lambda x: net(x).flatten(), images, images.flip(0), net(images), net(images))
    value.backward()
    assert value.item() == pytest.approx(10)
    assert net.weight.grad.isfinite().all()


@pytest.mark.parametrize("name", ["wgan-gp", "dragan"])
def test_every_item_is_mixed_by_its_own_number(name):
    seen = []

    def judge(images):
        seen.append(images.detach())
        return images.flatten(1).sum(1)

    real, fake = torch.zeros(64, 1, 2, 2), torch.ones(64, 1, 2, 2)
    real[::2] += 1e-3  # DRAGAN needs some spread
    ALL[name](judge, real, fake, judge(real), judge(fake))
    shift = (seen[-1] - real).flatten(1).mean(1)
    assert len(set(shift.tolist())) > 60


# ---- by name -------------------------------------------------------------------------------------------------------


def test_make_penalties():
    assert make_penalties("") == {}
    assert make_penalties("wgan-gp:weight=5,target=2+drift") == {"wgan-gp": WganGp(5.0, 2.0), "drift": Drift()}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("r3", "There is no penalty 'r3'"),
        ("r1:gama=1", "the penalty r1 has no option 'gama'; did you mean gamma"),
        ("r1:gamma=-1", "r1:gamma -1 is too small"),
        ("wgan-gp:target=0", "wgan-gp:target 0 is too small"),
    ],
)
def test_make_penalties_refuses(spec, message):
    with pytest.raises(UsageError, match=message):
        make_penalties(spec)
