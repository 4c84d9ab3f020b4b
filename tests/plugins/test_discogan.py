"""DiscoGAN: the published layers, numbers, losses and order of play."""

from __future__ import annotations

import pytest
import torch
from support.golden_numbers import GRADIENT, OUTPUT, near, stored, weights

from ganzoo.api import Batch, DataSpec, Progress, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import networks, parameter_counts
from ganzoo.plan.options import option_table

DiscoGAN = load_architecture(find("architecture", "discogan"))
D_COUNT = 2_765_568

# Output [C, H, W] of each convolution at 64×64.
DOWN = [("Conv2d", (64, 32, 32)), ("Conv2d", (128, 16, 16)), ("Conv2d", (256, 8, 8)), ("Conv2d", (512, 4, 4))]
NARROW = [("Conv2d", (100, 1, 1)), ("ConvTranspose2d", (512, 4, 4))]
UP = [("ConvTranspose2d", shape) for shape in ((256, 8, 8), (128, 16, 16), (64, 32, 32), (3, 64, 64))]


def build(*shape: int, **options):
    return DiscoGAN(DiscoGAN.Config(**options), DataSpec(shape, domains=("dark", "bright")))


def on_meta(*shape: int, **options):
    with torch.device("meta"):
        return build(*shape, **options)


@pytest.mark.parametrize(("preset", "g"), [(None, 5_513_856), ("bottleneck", 7_153_480), ("paper", 7_153_480)])
def test_parameter_counts(preset, g):
    model = on_meta(3, 64, 64, **DiscoGAN.presets.get(preset, {}))
    assert parameter_counts(model) == {"G.AB": g, "G.BA": g, "D.A": D_COUNT, "D.B": D_COUNT}


@pytest.mark.parametrize(
    ("network", "options", "expected"),
    [
        ("G.AB", {}, DOWN + UP),
        ("G.BA", {"bottleneck": 100}, DOWN + NARROW + UP),
        ("D.A", {}, [*DOWN, ("Conv2d", (1, 1, 1))]),
    ],
)
def test_published_layers(network, options, expected):
    net = networks(on_meta(3, 64, 64, **options))[network]
    seen = []
    for layer in net.modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
            assert layer.bias is None
            layer.register_forward_hook(lambda layer, _, out: seen.append((type(layer).__name__, tuple(out.shape[1:]))))
    net(torch.empty(2, 3, 64, 64, device="meta"))
    assert seen == expected


@pytest.mark.parametrize("options", [{}, {"bottleneck": 10}])
@pytest.mark.parametrize("shape", [(1, 32, 48), (3, 128, 128)])
def test_sizes(shape, options):
    model = on_meta(*shape, width_g=2, width_d=2, **options)
    images = torch.empty(5, *shape, device="meta")
    assert model.translate(images, "dark").shape == images.shape
    assert model.D["B"](images).shape == (5,)


@pytest.mark.parametrize("shape", [(3, 56, 64), (2,)])
def test_sizes_it_cannot_do_are_refused(shape):
    with pytest.raises(UsageError, match=r"^DiscoGAN .*\.$"):
        on_meta(*shape)


def ours(key: str) -> str:
    """What the reference calls conv2.weight or bn4.bias is here layers.1.0.weight or layers.3.1.bias."""
    kind, _, rest = key.partition(".")
    if kind == "conv5":
        return f"last.{rest}"
    if kind.startswith(("conv", "bn")):
        return f"layers.{int(kind[-1]) - 1}.{int(kind.startswith('bn'))}.{rest}"
    return key


def take_weights(net: torch.nn.Module, numbers: dict[str, torch.Tensor]) -> None:
    renamed = {ours(key): value for key, value in weights(numbers).items()}
    missing, unexpected = net.load_state_dict(renamed, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)


def check_training(net: torch.nn.Module, numbers: dict[str, torch.Tensor]) -> None:
    """After a pass in training mode and its backward: gradients of the weights, and running statistics."""
    known = {
        **{f"grad/train/{name}": parameter.grad for name, parameter in net.named_parameters()},
        **{f"after_train/{name}": buffer for name, buffer in net.named_buffers()},
    }
    checked = 0
    for key, value in numbers.items():
        where, _, rest = key.rpartition("/")
        if where in ("grad/train", "after_train"):
            assert near(known[f"{where}/{ours(rest)}"], value, GRADIENT if where == "grad/train" else OUTPUT), key
            checked += 1
    assert checked > 10


@pytest.mark.parametrize(("file", "bottleneck"), [("discogan_g", 0), ("discogan_g_bottleneck", 10)])
def test_golden_generator(file, bottleneck):
    """The reference works on [0, 1]; ours maps to it and back."""
    numbers, net = stored(file), build(3, 64, 64, width_g=2, bottleneck=bottleneck).double().G["AB"]
    take_weights(net, numbers)
    images = 2 * numbers["input/images"] - 1
    assert near((net.eval()(images)[:1] + 1) / 2, numbers["output/eval_first_image"], OUTPUT)
    images.requires_grad_()
    out = (net.train()(images) + 1) / 2
    if bottleneck:
        assert near(out[:1], numbers["output/train_first_image"], OUTPUT)
    else:
        assert near(out, numbers["output/train"], OUTPUT)
    (out * numbers["probe/train"]).sum().backward()
    if not bottleneck:
        assert near(2 * images.grad[:1], numbers["grad/train/input/images_first"], GRADIENT)
    check_training(net, numbers)


def golden_discriminator():
    numbers, model = stored("discogan_d"), build(3, 64, 64, width_g=2, width_d=4).double()
    take_weights(model.D["A"], numbers)
    return numbers, model, 2 * numbers["input/real"] - 1, 2 * numbers["input/fake"] - 1


def test_golden_discriminator():
    """The reference ends in the sigmoid that here is the loss's."""
    numbers, model, real, _ = golden_discriminator()
    net = model.D["A"]
    assert near(net.eval()(real).sigmoid(), numbers["output/eval"].flatten(), OUTPUT)
    real.requires_grad_()
    features, logits = net.train().look(real)
    assert near(logits.sigmoid(), numbers["output/train"].flatten(), OUTPUT)
    assert near(features[0][:1], numbers["output/train_feature0_first"], OUTPUT)
    assert near(features[1], numbers["output/train_feature1"], OUTPUT)
    assert near(features[2], numbers["output/train_feature2"], OUTPUT)
    (logits.sigmoid() * numbers["probe/train"].flatten()).sum().backward()
    assert near(2 * real.grad[:1], numbers["grad/train/input/real_first"], GRADIENT)
    check_training(net, numbers)


def test_golden_losses():
    numbers, model, real, fake = golden_discriminator()
    fake.requires_grad_()
    terms, _ = model.discriminator_terms("A", real, fake.detach(), model.config.adversarial_d)
    assert near(terms["adversarial A"], numbers["output/d_loss"], OUTPUT)
    terms = model._pursuit("A", real, fake, fake, rate=0.0)
    assert near(terms["adversarial A"] / 0.1, numbers["output/g_bce"], OUTPUT)
    assert near(terms["features A"] / 0.9, numbers["output/feature_matching"], OUTPUT)
    total = sum(terms.values())
    assert near(total, numbers["output/g_adversarial_total"], OUTPUT)
    total.backward()
    assert near(2 * fake.grad[:1], numbers["grad/g_adversarial_total/input/fake_first"], GRADIENT)


def test_turns_and_rates_are_the_published_ones():
    """schedules.json: steps 0, 3, 6 … train the Ds, the others the Gs; 0.01 up to step 9,999, then 0.5."""
    model = build(3, 16, 16, width_g=2, width_d=2)
    random = torch.Generator().manual_seed(0)
    a, b = (torch.rand(2, 3, 16, 16, generator=random) * 2 - 1 for _ in range(2))
    batch = Batch(a, None, {"dark": a, "bright": b})
    rates = {}
    for step in (0, 1, 2, 3, 4, 5, 6, 9998, 9999, 10_000, 10_001):
        (update,) = model.step(iter([batch]), Progress(step, 0, 0, 0, 10))
        assert update.networks == ("D" if step % 3 == 0 else "G")
        if update.networks == "G":
            again = model.G["BA"](model.G["AB"](a))
            error = ((again + 1) / 2 - (a + 1) / 2).square().mean()  # in [0, 1], as the reference's images are
            rates[step] = (update.terms["reconstruction A"] / error).item()
    assert rates == pytest.approx({1: 0.01, 2: 0.01, 4: 0.01, 5: 0.01, 9998: 0.01, 10_000: 0.5, 10_001: 0.5}, rel=1e-4)


def test_the_papers_losses_and_turns():
    """Its preset: the adversarial loss and the reconstruction weigh the same from the start, and turns alternate."""
    row = {**DiscoGAN.presets["paper"], "bottleneck": 4}
    model = build(3, 16, 16, width_g=2, width_d=2, **row)
    a, b = torch.rand(3, 3, 16, 16), torch.rand(3, 3, 16, 16)
    batch = Batch(a, None, {"dark": a, "bright": b})
    updates = [next(model.step(iter([batch]), Progress(step, 0, 0, 0, 10))) for step in range(4)]
    assert [update.networks for update in updates] == ["D", "G", "D", "G"]
    terms = updates[1].terms
    fake_b = model.G["AB"](a)
    assert terms["features A"] == terms["features B"] == 0
    assert terms["adversarial B"].item() == pytest.approx(0.5 * model.loss.generator(model.D["B"](fake_b)).item())
    error = ((model.G["BA"](fake_b) - a) / 2).square().mean()
    assert terms["reconstruction A"].item() == pytest.approx(0.5 * error.item(), rel=1e-4)
    assert (row["weight_decay"], row["batch_size"]) == (1e-4, 200)


def test_a_step_moves_its_networks_and_no_other(make_pair_trainer):
    trainer = make_pair_trainer(DiscoGAN, width_g=2, width_d=2, batch_size=3)
    for mover in "DGGD":
        before = {name: value.clone() for name, value in trainer.model.named_parameters()}
        values = trainer.step()
        moved = {name for name, value in trainer.model.named_parameters() if not torch.equal(value, before[name])}
        assert moved == {name for name in before if name.startswith(mover)}
        assert f"loss/{mover}" in values


def test_optimizers_and_defaults():
    model = on_meta(3, 64, 64)
    for name, network in networks(model).items():
        (group,) = model.optimizer(name, network.parameters()).param_groups
        assert (group["lr"], group["betas"], group["weight_decay"]) == (2e-4, (0.5, 0.999), 1e-5)
    table = option_table(DiscoGAN)
    assert (table["batch_size"].default, table["resolution"].default) == (64, "64")
    assert find("architecture", "discogan").card.batch_statistics
