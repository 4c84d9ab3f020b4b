"""BEGAN: the facts of the paper and of its reference implementation, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from ganzoo_equilibrium.model import BEGAN, Balance, BEGANConfig, Block, convergence, halvings
from torch import Tensor, nn

import ganzoo
from ganzoo.api import Batch, DataSpec, Progress, Update, UsageError

SMALL = replace(BEGANConfig(), filters=4, hidden=8, latent_dim=6, batch_size=4)
FACES = DataSpec((3, 32, 32))


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def progress(step: int = 0) -> Progress:
    return Progress(step=step, images=4 * step, epoch=0, stage_images=0, total_images=400)


def real(count: int = 4) -> Tensor:
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


# The networks


@pytest.mark.parametrize(("filters", "g", "d"), [(128, 1_716_611, 13_405_379), (64, 563_395, 4_011_651)])
def test_parameters_at_64(filters: int, g: int, d: int):
    with torch.device("meta"):
        model = BEGAN(BEGANConfig(filters=filters), DataSpec((3, 64, 64)))
    assert (parameters(model.G), parameters(model.D)) == (g, d)


def test_skips_widen_the_first_convolution_of_each_level_but_the_lowest():
    with torch.device("meta"):
        plain, skipping = (BEGAN(BEGANConfig(skips=skips), DataSpec((3, 64, 64))) for skips in (False, True))
    added = 3 * 128 * 128 * 9
    assert parameters(skipping.G) - parameters(plain.G) == added
    assert parameters(skipping.D) - parameters(plain.D) == added


def test_encoder_has_n_more_maps_at_each_level_and_subsamples_by_stride():
    model = BEGAN(replace(SMALL, filters=5), DataSpec((3, 64, 64)))
    convolutions = [module for module in model.D.encoder.modules() if isinstance(module, nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [5, 5, 5, 5, 10, 10, 10, 15, 15, 15, 20, 20]
    assert [c.stride[0] for c in convolutions] == [1, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1]
    assert model.D.encoder(torch.zeros(2, 3, 64, 64)).shape == (2, 8)


def test_generator_and_decoder_are_alike_and_share_no_weights():
    model = BEGAN(replace(SMALL, hidden=6), FACES)
    g, decoder = dict(model.G.named_parameters()), dict(model.D.decoder.named_parameters())
    assert {name: p.shape for name, p in g.items()} == {name: p.shape for name, p in decoder.items()}
    assert not {id(p) for p in g.values()} & {id(p) for p in decoder.values()}


def test_noise_is_uniform_between_minus_one_and_one():
    model = BEGAN(replace(SMALL, latent_dim=1), FACES)
    seen: list[Tensor] = []
    model.G.dense.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model.G(torch.tensor([[-9.0], [-0.6744898], [0.0], [0.6744898], [9.0]]))  # quartiles of N(0, 1)
    torch.testing.assert_close(seen[0][:, 0], torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0]))


@pytest.mark.parametrize(
    ("sides", "times"), [((32, 32), 2), ((64, 64), 3), ((128, 128), 4), ((28, 28), 1), ((96, 64), 3), ((96, 96), 3)]
)
def test_sides_are_halved_to_eight_or_the_next_above(sides: tuple[int, int], times: int):
    assert halvings(DataSpec((3, *sides))) == times


@pytest.mark.parametrize("data", [DataSpec((2,)), DataSpec((3, 100, 100)), DataSpec((3, 64, 64), domains=("A", "B"))])
def test_what_it_cannot_do_is_refused_in_a_sentence(data: DataSpec):
    with pytest.raises(UsageError, match=r"began|BEGAN"):
        BEGAN(SMALL, data)


# The error, the balance, the measure


@pytest.mark.parametrize(("eta", "error"), [(1, 0.75), (2, 0.5625)])
def test_error_is_the_mean_distance_to_the_reconstruction(eta: int, error: float):
    model = BEGAN(replace(SMALL, eta=eta), FACES)
    model.D = nn.Identity()
    model.D.forward = lambda images: images - 0.75 * images.sign()
    torch.testing.assert_close(model.error(real()), torch.full((4,), error))
    torch.testing.assert_close(model.realness(real()), torch.full((4,), -error))


def test_error_is_float32_under_bfloat16():
    model = BEGAN(SMALL, FACES)
    with torch.autocast("cpu", torch.bfloat16):
        assert model.D(real()).dtype == torch.bfloat16
        assert model.error(real()).dtype == torch.float32


def test_k_begins_at_zero_and_follows_the_rule():
    balance = Balance()
    assert balance.k == 0
    balance.move(torch.tensor([0.8, 0.3]), gamma=0.5, gain=0.1)  # 0 + 0.1 (0.4 - 0.3)
    torch.testing.assert_close(balance.k, torch.tensor(0.01))
    balance.move(torch.tensor([0.2, 0.15]), gamma=0.5, gain=0.1)  # 0.01 + 0.1 (0.1 - 0.15)
    torch.testing.assert_close(balance.k, torch.tensor(0.005))


@pytest.mark.parametrize(("errors", "k"), [((0.0, 1.0), 0.0), ((1.0, 0.0), 1.0)])
def test_k_stays_between_zero_and_one(errors: tuple[float, float], k: float):
    balance = Balance()
    for _ in range(5):
        balance.move(torch.tensor(errors), gamma=0.5, gain=1.0)
    assert balance.k == k


@pytest.mark.parametrize(("errors", "measure"), [((0.8, 0.3), 0.9), ((0.2, 0.5), 0.6), ((0.4, 0.2), 0.4)])
def test_convergence_is_the_error_and_the_imbalance(errors: tuple[float, float], measure: float):
    torch.testing.assert_close(convergence(torch.tensor(errors), gamma=0.5), torch.tensor(measure))


def test_rate_is_halved_when_the_measure_stalls():
    balance, factors = Balance(), []
    for measure in (1.0, 0.9, 0.8, 0.85, 0.84, 0.5):
        for _ in range(3):
            balance.slow_down(torch.tensor(measure), patience=3)
        factors.append(balance.factor.item())
    assert factors == [1, 1, 1, 0.5, 0.5, 0.5]  # 0.84 is 1.2 % below 0.85
    assert BEGAN(SMALL, FACES).learning_rate(progress(), "G") == 1


# The step


def turns(model: BEGAN, step: int = 0) -> tuple[Update, Update]:
    """The two updates of a step in which nothing is learned."""
    torch.manual_seed(step)
    d, g = model.step(iter([Batch(real())]), progress(step))
    return d, g


def test_step_is_the_papers_objective():
    model = BEGAN(replace(SMALL, gamma=0.7, lambda_k=0.05), FACES)
    model.balance.k.fill_(0.25)
    d, g = turns(model)

    error_real = model.error(real()).mean()
    torch.manual_seed(0)
    error_d, error_g = (model.error(model.G(model.noise(4))).mean() for _ in range(2))
    assert (d.networks, g.networks) == ("D", "G")
    torch.testing.assert_close(d.terms["real"], error_real)
    torch.testing.assert_close(d.terms["fake"], -0.25 * error_d)  # k as it was before the step
    torch.testing.assert_close(g.terms["error"], error_g)
    assert error_d != error_g  # z_D and z_G are drawn apart
    torch.testing.assert_close(g.watch["M"], (error_real + (0.7 * error_real - error_g).abs()).detach())
    torch.testing.assert_close(model.balance.k, (0.25 + 0.05 * (0.7 * error_real - error_g)).detach())


def test_each_turn_reaches_its_player():
    model = BEGAN(SMALL, FACES)
    model.balance.k.fill_(0.5)
    d, g = turns(model)
    inputs = tuple(model.G.parameters())
    assert all(gradient is None for gradient in torch.autograd.grad(d.terms["fake"], inputs, allow_unused=True))
    assert all(gradient.abs().sum() > 0 for gradient in torch.autograd.grad(g.terms["error"], inputs))


def test_residual_connections_carry_all_and_then_nothing():
    model = BEGAN(replace(SMALL, carry_steps=10), FACES)
    plain = BEGAN(SMALL, FACES)
    plain.load_state_dict(
        {name: value for name, value in model.state_dict().items() if "carry" not in name}, strict=False
    )
    z, x = torch.randn(3, 6), torch.randn(2, 4, 8, 8)
    block = model.G.blocks[0]
    assert isinstance(block, Block)
    assert torch.equal(block(x), x)

    carried = []
    for step in (0, 5, 10, 11):
        turns(model, step)
        carried.append(block.carry.item())
    assert carried == [1, 0.5, 0, 0]
    assert torch.equal(model.G(z), plain.G(z))


# In a run


def test_balance_is_in_a_checkpoint_and_comes_back_from_it(tmp_path):
    options = {"filters": 4, "hidden": 8, "lambda_k": 0.5, "patience": 3, "device": "cpu", "resolution": 32}
    given = {**options, "batch_size": 4}
    through = ganzoo.train("ganzoo:began", "digits:images=16", steps=6, out=tmp_path / "through", **given)
    halves = ganzoo.train("ganzoo:began", "digits:images=16", steps=4, out=tmp_path / "halves", **given)
    expected, stopped = (dict(ganzoo.trained(run).balance.named_buffers()) for run in (through, halves))
    resumed = dict(ganzoo.trained(ganzoo.extend(halves, steps=2)).balance.named_buffers())
    assert set(expected) == {"k", "factor", "total", "count", "previous"}
    assert stopped["k"] != expected["k"]
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)
