"""What makes it InfoGAN: the networks' sizes, the codes, the mutual information, and who learns it."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_infogan.model import Codes, InfoGAN, InfoGANConfig, information
from support.command_line import cli, refusal
from support.golden_numbers import GRADIENT, OUTPUT, near, stored
from torch import Tensor, nn

import ganzoo
from ganzoo.api import Batch, DataSpec, Progress, UsageError
from ganzoo.gan.losses import NonSaturating

GREY = DataSpec(shape=(1, 28, 28))
SMALL = InfoGANConfig(width=4, hidden=32, hidden_q=8)


@pytest.fixture
def small() -> InfoGAN:
    torch.manual_seed(0)
    return InfoGAN(SMALL, GREY)


# The networks


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_networks_are_as_large_as_those_of_the_paper() -> None:
    with torch.device("meta"):
        model = InfoGAN(InfoGANConfig(), GREY)
    assert count(model.G) == 6_652_481
    assert count(model.D) == 6_559_169
    assert count(model.D.trunk) == 6_558_144
    assert count(model.Q) == 133_262
    assert model.latent_dim == 74


def test_shapes(small: InfoGAN) -> None:
    images = small.generate(small.noise(3))
    assert images.shape == (3, 1, 28, 28)
    assert images.abs().max() <= 1
    assert small.D(images).shape == (3,)
    assert small.Q(small.D.trunk(images)).shape == (3, 10 + 2 * 2)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (DataSpec(shape=(1, 30, 28)), "multiples of 4"),
        (DataSpec(shape=(1, 28, 28), domains=("A", "B")), "one set of images"),
    ],
)
def test_refuses_what_it_cannot_do(data: DataSpec, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        InfoGAN(SMALL, data)


def test_truncation_is_refused(small: InfoGAN) -> None:
    with pytest.raises(UsageError, match="no truncation"):
        small.generate(small.noise(1), truncation=0.5)


# The codes


def test_codes_are_distributed_as_the_paper_says(small: InfoGAN) -> None:
    torch.manual_seed(0)
    codes = small.codes_of(small.noise(20_000))
    shares = codes.category.bincount(minlength=10) / 20_000
    assert shares.sub(0.1).abs().max() < 0.01  # 4.7 standard deviations
    for numbers in (codes.noise, codes.continuous):
        assert numbers.abs().max() <= 1
        quantiles = numbers.flatten().quantile(torch.tensor([0.1, 0.25, 0.5, 0.75, 0.9]))
        torch.testing.assert_close(quantiles, torch.tensor([-0.8, -0.5, 0.0, 0.5, 0.8]), atol=0.02, rtol=0)


def test_codes_of_one_z_by_hand(small: InfoGAN) -> None:
    z = torch.zeros(1, 74)
    z[0, 62 + 3] = 0.5  # the largest of the ten scores is the fourth
    z[0, 0], z[0, 72], z[0, 73] = -1.0, 1.0, -2.0
    codes = small.codes_of(z)
    assert codes.category.tolist() == [3]
    assert codes.noise[0, 0].item() == pytest.approx(-0.682689, abs=1e-5)  # 68.3 % of N(0, 1) lie within 1
    assert codes.continuous[0].tolist() == pytest.approx([0.682689, -0.954500], abs=1e-5)
    inputs = small.inputs(codes)
    assert inputs.shape == (1, 74)
    assert inputs[0, 62:72].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert torch.equal(inputs[0, 72:], codes.continuous[0])


def test_codes_change_the_image(small: InfoGAN) -> None:
    small.eval()
    z = small.noise(1)
    categories = small.generate(small.coded(z.expand(10, -1), "category", torch.arange(10))).flatten(1)
    assert categories.unique(dim=0).shape[0] == 10
    for code in small.codes:
        left, right = (small.generate(small.coded(z, code, torch.tensor([end]))) for end in (0.0, 1.0))
        assert code == "category" or not torch.equal(left, right)


def test_chosen_codes_are_what_g_is_told_and_all_else_stays(small: InfoGAN) -> None:
    z = small.noise(20)
    category = torch.arange(20) % 10
    chosen = small.coded(small.coded(z, "category", category), "c2", torch.linspace(-1, 1, 20))
    codes, before = small.codes_of(chosen), small.codes_of(z)
    assert torch.equal(codes.category, category)
    assert torch.allclose(codes.continuous[:, 1], torch.linspace(-1, 1, 20), atol=1e-5)
    assert torch.equal(codes.continuous[:, 0], before.continuous[:, 0])
    assert torch.equal(codes.noise, before.noise)
    assert torch.equal(chosen[:, 62:72].sort(1).values, z[:, 62:72].sort(1).values)


def test_codes_on_the_command_line(train) -> None:
    options = {"width": 2, "hidden": 8, "hidden_q": 4, "resolution": 8, "batch_size": 4, "incompressible": 4}
    run = train(architecture="infogan", data="tiny", **options, steps=1)
    model = ganzoo.load(run.path)
    seen = []
    model.architecture.G.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    model.sample(3, code=3)
    model.sample(3, code="7,c1=-0.5")
    assert seen[0][:, 4:14].argmax(1).tolist() == [3, 3, 3]
    assert seen[1][:, 4:14].argmax(1).tolist() == [7, 7, 7]
    assert torch.allclose(seen[1][:, 14], torch.full((3,), -0.5), atol=1e-5)
    seen.clear()
    model.interpolate(points=2, frames=5, code="c2", ends=True)
    assert torch.allclose(seen[0][:5, 15], torch.linspace(-1, 1, 5), atol=1e-5)
    assert torch.equal(seen[0][:5, 15], seen[0][5:, 15])
    seen.clear()
    model.interpolate(points=1, frames=18, code="category")  # there and back
    assert seen[0][:, 4:14].argmax(1).tolist() == [*range(9), *range(9, 0, -1)]
    assert cli("sample", run.path, "-n", "4", "--code", "3").exit_code == 0
    assert (run.path / "samples" / "seed-0-code-3.png").exists()
    walk = ("interpolate", run.path, "--points", "2", "--frames", "4", "-o", "walk.png")
    assert cli(*walk, "--code", "c1").exit_code == 0
    for words, line in {
        ("sample", run.path, "--code", "10"): "The code 'category' takes a whole number from 0 to 9, not '10'",
        ("sample", run.path, "--code", "c1=2"): "The code 'c1' takes a number from -1 to 1, not '2'",
        ("sample", run.path, "--code", "c3=0"): "There is no code 'c3' in this model",
        ("sample", run.path, "--code", "3,category=5"): "The code 'category' is chosen twice",
        (*walk, "--code", "3"): "There is no code '3' in this model",
    }.items():
        assert line in refusal(cli(*words))


def test_a_model_without_codes_refuses_them(train) -> None:
    run = train(steps=1)
    assert "TinyGAN has no codes in its latents; leave out --code" in refusal(cli("sample", run.path, "--code", "3"))


# The mutual information


def bound(output: list[list[float]], category: list[int], continuous: list[list[float]], config: InfoGANConfig) -> dict:
    codes = Codes(torch.zeros(len(output), 0), torch.tensor(category), torch.tensor(continuous))
    found = information(torch.tensor(output), codes, config)
    return {name: nats.item() for name, nats in found.items()}


TWO = {"categories": 2, "continuous": 1}


def test_information_by_hand() -> None:
    """Q(c|x) is 3/4 for the first image's category and 1/2 for the second's."""
    output = [[math.log(3), 0.0, 0.5, 9.0], [0.0, 0.0, -1.0, 9.0]]  # two logits, a mean, a log deviation
    found = bound(output, [0, 1], [[0.5], [1.0]], InfoGANConfig(deviation="fixed", **TWO))
    assert found["category"] == pytest.approx(math.log(2) + (math.log(3 / 4) + math.log(1 / 2)) / 2)
    # densities of N(mean, 1): errors are 0 and 2, so the exponents are 0 and -2
    assert found["continuous"] == pytest.approx(math.log(2) - math.log(2 * math.pi) / 2 - 1)


def test_information_of_learned_deviation_by_hand() -> None:
    output = [[0.0, 0.0, 0.5, math.log(2)], [0.0, 0.0, -1.0, math.log(4)]]
    found = bound(output, [0, 1], [[0.5], [1.0]], InfoGANConfig(deviation="learned", **TWO))
    assert found["category"] == pytest.approx(0, abs=1e-6)  # a coin that Q knows nothing of
    # errors over deviations are 0 and 2 / 4; log deviations are log 2 and log 4
    expected = math.log(2) - math.log(2 * math.pi) / 2 - (math.log(2) + math.log(4)) / 2 - (0 + 1 / 8) / 2
    assert found["continuous"] == pytest.approx(expected)


def test_golden_losses() -> None:
    """The authors' losses and their gradients. They count the entropy of N(0, 1) for codes that are uniform, which is a
    number of the codes alone.
    """
    numbers = stored("auxiliary_losses")
    given = {name: numbers[f"input/{name}"].requires_grad_() for name in ("q_category_logits", "q_mean")}
    real, fake = (numbers[f"input/{side}_logits"].requires_grad_() for side in ("real", "fake"))
    codes = Codes(torch.zeros(6, 0), numbers["input/fake_labels"], numbers["input/codes"])
    output = torch.cat([*given.values(), torch.zeros(6, 2)], 1)
    nats = information(output, codes, InfoGANConfig(categories=5))
    assert near(nats["category"], numbers["output/infogan_mi_category"], OUTPUT)
    ours = 2 * (math.log(2) - math.log(2 * math.pi) / 2) - codes.continuous.square().sum(1).mean() / 2
    assert near(nats["continuous"] - ours, numbers["output/infogan_mi_continuous"], OUTPUT)
    loss = NonSaturating()
    losses = {"d": loss.discriminator(real, fake), "g": loss.generator(fake)}
    for player, adversarial in losses.items():
        assert near(adversarial, numbers[f"output/infogan_{player}_adversarial"], OUTPUT)
        total = adversarial - nats["category"] - nats["continuous"]
        inputs = {"fake_logits": fake, **given} | ({"real_logits": real} if player == "d" else {})
        found = torch.autograd.grad(total, list(inputs.values()), retain_graph=True)
        for name, gradient in zip(inputs, found, strict=True):
            assert near(gradient, numbers[f"grad/infogan_{player}/input/{name}"], GRADIENT), (player, name)


def test_information_of_several_continuous_codes_is_their_sum() -> None:
    config = InfoGANConfig(categories=2, continuous=2)
    both = bound([[0, 0, 0.3, -0.4, 0, 0]], [0], [[0.5, 0.1]], config)["continuous"]
    each = [bound([[0, 0, mean, 0]], [0], [[code]], InfoGANConfig(**TWO)) for mean, code in ((0.3, 0.5), (-0.4, 0.1))]
    assert both == pytest.approx(sum(one["continuous"] for one in each))


def test_information_is_largest_where_q_is_right() -> None:
    config = InfoGANConfig(**TWO)
    right = bound([[50.0, -50.0, 0.7, 0]], [0], [[0.7]], config)
    wrong = bound([[-50.0, 50.0, -0.7, 0]], [0], [[0.7]], config)
    assert right["category"] == pytest.approx(math.log(2))  # H(c), all there is to know
    assert wrong["category"] == pytest.approx(math.log(2) - 100)
    assert right["continuous"] > wrong["continuous"]


# Who learns it


def updates(model: InfoGAN) -> list:
    real = torch.rand(8, 1, 28, 28) * 2 - 1
    progress = Progress(step=0, images=0, epoch=0, stage_images=0, total_images=8)
    return list(model.step(iter([Batch(real)]), progress))


def reaches(loss: Tensor, module: nn.Module) -> bool:
    """Whether every weight matrix of a network has a gradient that is not 0; that none has is the other answer."""
    weights = [parameter for parameter in module.parameters() if parameter.dim() > 1]  # batch norm takes biases out
    gradients = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
    found = [gradient is not None and bool(gradient.any()) for gradient in gradients]
    assert len(set(found)) == 1
    return found[0]


def test_who_moves(small: InfoGAN) -> None:
    first, second = updates(small)
    assert first.networks == "D"
    assert second.networks == ("G", "Q")
    assert set(first.terms) == set(second.terms) == {"adversarial", "category", "continuous"}


@pytest.mark.parametrize("term", ["category", "continuous"])
def test_information_is_learned_by_g_and_q_and_by_the_trunk_that_is_qs_too(small: InfoGAN, term: str) -> None:
    first, second = updates(small)
    assert reaches(second.terms[term], small.G)
    assert reaches(second.terms[term], small.Q)
    assert reaches(first.terms[term], small.D.trunk)
    assert not reaches(first.terms[term], small.D.head)
    assert not reaches(first.terms[term], small.G)


def test_adversarial_terms_leave_q_alone(small: InfoGAN) -> None:
    first, second = updates(small)
    assert reaches(first.terms["adversarial"], small.D)
    assert not reaches(first.terms["adversarial"], small.G)
    assert not reaches(first.terms["adversarial"], small.Q)
    assert reaches(second.terms["adversarial"], small.G)
    assert not reaches(second.terms["adversarial"], small.Q)


def test_weights_of_the_information(small: InfoGAN) -> None:
    found = {"category": torch.tensor(2.0), "continuous": torch.tensor(0.5)}
    weighted = InfoGAN(InfoGANConfig(width=4, hidden=32, hidden_q=8, info=3, info_continuous=0.1), GREY)
    assert {name: loss.item() for name, loss in small.information_loss(found).items()} == pytest.approx(
        {"category": -2, "continuous": -0.5}
    )
    assert {name: loss.item() for name, loss in weighted.information_loss(found).items()} == pytest.approx(
        {"category": -6, "continuous": -0.05}
    )


def test_rates(small: InfoGAN) -> None:
    rates = {name: small.optimizer(name, getattr(small, name).parameters()).defaults["lr"] for name in ("G", "D", "Q")}
    assert rates == {"G": 1e-3, "D": 2e-4, "Q": 2e-4}


def trained(info: float) -> tuple[InfoGAN, float]:
    """A small one after 60 steps on noise, and the nats of the category that Q reads from its images."""
    torch.manual_seed(0)
    config = InfoGANConfig(width=4, hidden=32, hidden_q=16, info=info, lr=5e-3, lr_d=5e-3)
    model = InfoGAN(config, GREY)
    optimizers = {name: model.optimizer(name, getattr(model, name).parameters()) for name in ("G", "D", "Q")}
    for step in range(60):
        real = torch.rand(32, 1, 28, 28) * 2 - 1
        progress = Progress(step=step, images=32 * step, epoch=0, stage_images=0, total_images=32 * 60)
        for update in model.step(iter([Batch(real)]), progress):
            model.zero_grad()
            sum(update.terms.values()).backward()
            for name in update.names:
                optimizers[name].step()
    return model, update.watch["I(category)"].item()


def visible(model: InfoGAN) -> float:
    """How much the category changes an image: the mean deviation of a pixel over the ten."""
    z = model.eval().noise(1).expand(10, -1)
    return model.generate(model.coded(z, "category", torch.arange(10))).std(0).mean().item()


def test_the_category_is_shown_and_read_because_of_its_term() -> None:
    model, nats = trained(info=1)
    without, ignored = trained(info=0)
    assert nats > 1  # of log 10, which is 2.3
    assert ignored < 0.3
    assert visible(model) > 2 * visible(without)
