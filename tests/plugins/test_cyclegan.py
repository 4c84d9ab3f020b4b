"""CycleGAN: the published layers, numbers, losses, schedule and order of play."""

from __future__ import annotations

import pytest
import torch
from support.golden_numbers import GRADIENT, OUTPUT, near, stored, weights

from ganzoo.api import Batch, DataSpec, Progress, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import networks, parameter_counts
from ganzoo.contract.randomness import Share
from ganzoo.plan.options import option_table

CycleGAN = load_architecture(find("architecture", "cyclegan"))
TINY = {"width_g": 2, "width_d": 2, "blocks": 1, "layers_d": 2}

# Output [C, H, W] of each convolution at 256×256, from the stored layer tables of the authors' PyTorch code.
CONVOLUTIONS_G = [
    *[("Conv2d", (64, 256, 256)), ("Conv2d", (128, 128, 128)), ("Conv2d", (256, 64, 64))],
    *[("Conv2d", (256, 64, 64))] * 18,
    *[("ConvTranspose2d", (128, 128, 128)), ("ConvTranspose2d", (64, 256, 256)), ("Conv2d", (3, 256, 256))],
]
CONVOLUTIONS_D = [
    *[("Conv2d", (64, 128, 128)), ("Conv2d", (128, 64, 64)), ("Conv2d", (256, 32, 32))],
    *[("Conv2d", (512, 31, 31)), ("Conv2d", (1, 30, 30))],
]


def build(*shape: int, **options):
    return CycleGAN(CycleGAN.Config(**options), DataSpec(shape, domains=("A", "B")))


def on_meta(*shape: int, **options):
    with torch.device("meta"):
        return build(*shape, **options)


@pytest.fixture
def make(make_pair_trainer):
    def make(**options):
        return make_pair_trainer(CycleGAN, **{"batch_size": 2, "pool": 3, **TINY, **options})

    return make


@pytest.mark.parametrize(
    ("side", "g", "d"), [(256, 11_378_179, 2_764_737), (128, 7_837_699, 2_764_737), (64, 7_837_699, 2_764_737)]
)
def test_parameter_counts(side, g, d):
    assert parameter_counts(on_meta(3, side, side)) == {"G.AB": g, "G.BA": g, "D.A": d, "D.B": d}


@pytest.mark.parametrize(("network", "expected"), [("G.AB", CONVOLUTIONS_G), ("D.B", CONVOLUTIONS_D)])
def test_published_layers(network, expected):
    net = networks(on_meta(3, 256, 256))[network]
    seen = []
    for layer in net.modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
            assert layer.bias is not None
            layer.register_forward_hook(lambda layer, _, out: seen.append((type(layer).__name__, tuple(out.shape[1:]))))
    net(torch.empty(2, 3, 256, 256, device="meta"))
    assert seen == expected


def test_normalisation_has_no_weights_and_no_memory():
    norms = [module for module in on_meta(3, 64, 64).modules() if isinstance(module, torch.nn.InstanceNorm2d)]
    assert len(norms) == 2 * 17 + 2 * 3
    assert all((norm.affine, norm.track_running_stats, norm.eps) == (False, False, 1e-5) for norm in norms)


@pytest.mark.parametrize("shape", [(3, 66, 64), (3, 16, 16), (2,)])
def test_sizes_it_cannot_do_are_refused(shape):
    with pytest.raises(UsageError, match=r"^CycleGAN .*\.$"):
        on_meta(*shape)


@pytest.mark.parametrize(("domains", "said"), [((), "has none"), (("A", "B", "C"), "has 3: A, B, C")])
def test_it_takes_two_domains(domains, said):
    with pytest.raises(UsageError, match=f"two domains, and this data set {said}"):
        CycleGAN(CycleGAN.Config(), DataSpec((3, 64, 64), domains=domains))


def golden(name: str, net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Everything stored, with its weights taken into the network."""
    numbers = stored(name)
    net.load_state_dict(weights(numbers))
    return numbers


def check_gradients(net: torch.nn.Module, numbers: dict[str, torch.Tensor]) -> None:
    names = [name.removeprefix("grad/out/") for name in numbers if name.startswith("grad/out/model")]
    assert names
    for name in names:
        assert near(dict(net.named_parameters())[name].grad, numbers[f"grad/out/{name}"], GRADIENT), name


@pytest.mark.parametrize("training", [True, False])
def test_golden_generator(training):
    net = build(3, 32, 32, width_g=4, blocks=2).double().G["AB"].train(training)
    numbers = golden("cyclegan_g", net)
    inner = {}
    for name, layer in (("after_stem_first", 3), ("after_down", 9), ("after_blocks", 11)):
        net.model[layer].register_forward_hook(lambda _, __, out, name=name: inner.update({name: out.clone()}))
    images = numbers["input/images"].requires_grad_()
    out = net(images)
    assert near(out, numbers["output/out"], OUTPUT)
    assert near(inner["after_stem_first"][:1], numbers["output/after_stem_first"], OUTPUT)
    assert near(inner["after_down"], numbers["output/after_down"], OUTPUT)
    assert near(inner["after_blocks"], numbers["output/after_blocks"], OUTPUT)
    (out * numbers["probe/out"]).sum().backward()
    assert near(images.grad, numbers["grad/out/input/images"], GRADIENT)
    check_gradients(net, numbers)


def test_golden_discriminator_and_its_loss():
    model = build(3, 64, 64, width_d=4).double()
    net = model.D["A"]
    numbers = golden("cyclegan_d", net)
    images = numbers["input/images"].requires_grad_()
    third = []
    net.model[7].register_forward_hook(lambda _, __, out: third.append(out[:1].clone()))
    out = net(images)
    assert near(out, numbers["output/out"], OUTPUT)
    assert near(third[0], numbers["output/after_layer3_first"], OUTPUT)
    (out * numbers["probe/out"]).sum().backward()
    assert near(images.grad[:1], numbers["grad/out/input/images_first"], GRADIENT)
    check_gradients(net, numbers)
    to_1, to_0 = numbers["output/mse_to_1"], numbers["output/mse_to_0"]
    assert near(model.loss.generator(out), to_1, OUTPUT)
    terms, _ = model.discriminator_terms("A", images, images, model.config.adversarial_d)
    assert near(terms["adversarial A"], (to_1 + to_0) / 2, OUTPUT)  # D's is halved


def test_first_weights():
    torch.manual_seed(0)
    for name, parameter in build(3, 64, 64, width_g=16, width_d=16, blocks=1).named_parameters():
        values = parameter.detach()
        if name.endswith("bias"):
            assert values.abs().max() == 0, name
        else:
            assert values.std() == pytest.approx(0.02, rel=5 / values.numel() ** 0.5), name


def test_defaults_are_the_published_ones():
    table = option_table(CycleGAN)
    expected = {
        "loss": "lsgan:half=1", "cycle": 10.0, "identity": 0.5, "pool": 50, "lr": 2e-4, "beta1": 0.5, "beta2": 0.999,
        "batch_size": 1, "resolution": "256", "load_size": 286, "flip": True, "epochs": 200, "ema": 0, "decay": 0.5,
    }  # fmt: skip
    assert {name: table[name].default for name in expected} == expected


def test_the_rate_falls_as_published():
    """schedules.json: 1 for 100 epochs, then 100/101, 99/101 … 1/101; whatever the training's length."""
    published = [1.0] * 100 + [(101 - k) / 101 for k in range(1, 101)]
    model = on_meta(3, 64, 64)
    for items in (320, 1, 7):
        factors = [model.learning_rate(Progress(0, k * items, k, 0, 200 * items), "G.AB") for k in range(200)]
        assert factors == pytest.approx(published, abs=1e-12)
    ten = [model.learning_rate(Progress(0, 100 + k, 0, 100, 110), "D.A") for k in range(10)]
    assert ten[:5] == [1.0] * 5
    assert ten[5:] == pytest.approx([published[20 * k] for k in range(5, 10)])
    constant = on_meta(3, 64, 64, decay=0.0)
    assert constant.learning_rate(Progress(0, 199, 0, 0, 200), "G.AB") == 1


def test_terms_are_weighed_as_published(make):
    trainer = make(batch_size=1, pool=0)
    model = trainer.model
    batch = trainer.loader.draw(0, 1, Share())
    a, b = batch.domains["A"], batch.domains["B"]
    turns = model.step(iter([batch]), trainer.progress)
    update = next(turns)
    fake_b, fake_a = model.G["AB"](a), model.G["BA"](b)
    expected = {
        "adversarial A": (model.D["A"](fake_a) - 1).square().mean(),
        "adversarial B": (model.D["B"](fake_b) - 1).square().mean(),
        "cycle A": 10 * (model.G["BA"](fake_b) - a).abs().mean(),
        "cycle B": 10 * (model.G["AB"](fake_a) - b).abs().mean(),
        "identity A": 5 * (model.G["BA"](a) - a).abs().mean(),
        "identity B": 5 * (model.G["AB"](b) - b).abs().mean(),
    }
    assert update.networks == "G"
    assert {name: term.item() for name, term in update.terms.items()} == pytest.approx(
        {name: term.item() for name, term in expected.items()}, rel=1e-5
    )
    update = next(turns)
    for domain, real, fake in (("A", a, fake_a), ("B", b, fake_b)):
        d = model.D[domain]
        halves = ((d(real) - 1).square().mean() + d(fake).square().mean()) / 2
        assert update.terms[f"adversarial {domain}"].item() == pytest.approx(halves.item(), rel=1e-5)
    assert next(turns, None) is None


def test_squares_are_whole_and_weigh_one_for_the_gs_and_half_for_the_ds():
    model = build(3, 16, 16, **TINY)
    assert model.loss.half == 1
    assert (model.config.adversarial_g, model.config.adversarial_d) == (1, 0.5)


def test_without_identity_there_is_no_such_term(make):
    values = make(identity=0.0).step()
    assert "loss/G/cycle A" in values
    assert not any("identity" in name for name in values)


def test_each_turn_moves_its_networks_and_no_other(make):
    trainer = make()
    model = trainer.model
    turns = model.step(iter([trainer.loader.draw(0, 2, Share())]), trainer.progress)
    for mover, others in (("G", "D"), ("D", "G")):
        before = {name: value.clone() for name, value in model.named_parameters()}
        update = next(turns)
        trainer._backward(update, 0)
        trainer._apply(trainer._resolve(update), update)
        moved = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
        assert all(name.startswith(mover + ".") for name in moved)
        assert {name for name in before if name.endswith("weight") and name.startswith(mover)} <= moved
        assert not any(name.startswith(others) for name in moved)


def test_it_resumes_bit_equal_with_the_pool(make):
    undisturbed, stopped, resumed = make(), make(), make()
    for _ in range(6):
        undisturbed.step()
    for _ in range(3):
        stopped.step()
    tensors, counters = stopped.state()
    assert tensors["model/pool_a.filled"].item() == 3
    assert tensors["model/pool_b.images"].abs().amax((1, 2, 3)).min() > 0
    resumed.load_state({name: value.clone() for name, value in tensors.items()}, counters)
    for _ in range(3):
        resumed.step()
    (mine, my_counters), (theirs, their_counters) = resumed.state(), undisturbed.state()
    assert my_counters == their_counters
    assert set(mine) == set(theirs)
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_the_parts_of_a_split_batch_make_the_whole(make):
    whole, split = make(batch_size=4), make(batch_size=4, accumulate=2)
    for _ in range(2):
        whole.step()
        split.step()
    assert whole.model.pool_a.filled.item() == split.model.pool_a.filled.item() == 3
    for ours, theirs in ((whole.model.pool_a, split.model.pool_a), (whole.model.pool_b, split.model.pool_b)):
        assert torch.allclose(ours.images, theirs.images, atol=1e-4)


def test_any_loss_and_augmentation_and_own_rates(make):
    trainer = make(loss="hinge", augment="diffaug", penalty="r1:gamma=1", lr_d=1e-3)
    values = trainer.step()
    assert all(torch.isfinite(value) for value in values.values())
    assert {"loss/D/r1 A", "loss/D/r1 B", "D.A(real)", "D.B(fake)"} <= set(values)
    assert {name: optimizer.param_groups[0]["lr"] for name, optimizer in trainer.optimizers.items()} == {
        "G.AB": 2e-4, "G.BA": 2e-4, "D.A": 1e-3, "D.B": 1e-3,
    }  # fmt: skip


def test_a_step_waits_for_nothing():
    """On the meta device whatever reads a value fails."""
    model = on_meta(3, 16, 16, **TINY)
    images = torch.empty(2, 3, 16, 16, device="meta")
    batch = Batch(images, None, {"A": images, "B": images})
    assert len(list(model.step(iter([batch]), Progress(0, 0, 0, 0, 10)))) == 2
