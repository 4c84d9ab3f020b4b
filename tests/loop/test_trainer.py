"""The promises that the trainer keeps for every architecture."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy
import pytest
import torch
from conftest import Items
from tinyzoo.model import TinyGAN
from torch import Tensor, nn

from ganzoo.api import Architecture, Batch, DataSpec, GanzooError, Progress, TrainingState, Update, UsageError, rows
from ganzoo.contract.networks import networks, parameter_counts
from ganzoo.contract.randomness import Share, sharing
from ganzoo.contract.stored import as_json, from_json
from ganzoo.contract.turns import ContractError
from ganzoo.data.loader import Loader, Order
from ganzoo.loop.ema import EMA
from ganzoo.loop.trainer import Extent
from ganzoo.runs import checkpoint
from ganzoo.runs.header import Counters


@dataclass(frozen=True)
class Rate:
    lr: float = 0.1


class Plain(Architecture):
    """Linear players on vectors, trained by SGD; `seen` lists what stepped, and who had a gradient then."""

    Config = Rate
    latent_dim = 3

    def __init__(self, config: Rate, data: DataSpec) -> None:
        super().__init__(config, data)
        self.G, self.D = nn.Linear(3, data.shape[0]), nn.Linear(data.shape[0], 1)
        self.batches: list[Tensor] = []
        self.moments: list[Progress] = []
        self.seen: list[tuple[str, list[str]]] = []

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        self.moments.append(progress)
        real = next(batches).images
        self.batches.append(real)
        fake = self.G(self.noise(len(real)))
        yield Update("D", {"loss": self.D(fake.detach()).mean() - self.D(real).mean()})
        yield Update("G", {"loss": -self.D(fake).mean()})

    def optimizer(self, network, parameters):
        optimizer = torch.optim.SGD(parameters, lr=self.config.lr)
        optimizer.register_step_pre_hook(lambda *_: self.seen.append((network, self.with_gradient())))
        return optimizer

    def with_gradient(self) -> list[str]:
        every = networks(self).items()
        return [name for name, net in every if any(p.grad is not None for p in net.parameters())]


def vectors(count: int = 24, width: int = 2) -> Tensor:
    """Items [count, width] that say their own index."""
    return torch.arange(count * width).view(count, width).float() / width


@pytest.fixture
def plain(make_trainer):
    """Makes a trainer of `Plain`, or of a subclass with other methods, given by name."""

    def make(items=None, **options):
        methods = {name: options.pop(name) for name in list(options) if callable(options[name])}
        cls = type("Plain", (Plain,), methods)
        return make_trainer(cls, items=vectors() if items is None else items, **options)

    return make


def weights(trainer) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in trainer.model.state_dict().items()}


def run(trainer, steps: int):
    for _ in range(steps):
        trainer.step()
    return trainer


def assert_same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


# ---- order of the data ---------------------------------------------------------------------------------------------


def test_permutations_end_to_end():
    order = Order(10, seed=1)
    whole = order.at(0, 40)
    for epoch in range(4):
        assert sorted(whole[10 * epoch : 10 * epoch + 10].tolist()) == list(range(10))
    assert len({tuple(whole[10 * epoch : 10 * epoch + 10].tolist()) for epoch in range(4)}) == 4


def test_order_depends_on_seed_and_position_alone():
    whole = Order(10, seed=1).at(0, 40)
    torch.manual_seed(5)
    fresh = Order(10, seed=1)
    for position in (33, 7, 18, 0):  # whatever was asked before
        assert torch.equal(fresh.at(position, 7), whole[position : position + 7])
    assert not torch.equal(Order(10, seed=2).at(0, 40), whole)
    assert not torch.equal(Order(10, seed=1, name="B").at(0, 40), whole)
    assert Order(3, seed=0).at(1, 20).shape == (20,), "a batch may be larger than the data"


def test_every_batch_is_full_and_follows_the_last(plain):
    trainer = run(plain(vectors(10), batch_size=4), 5)
    drawn = torch.cat(trainer.model.batches)
    assert [len(batch) for batch in trainer.model.batches] == [4] * 5
    for epoch in range(2):
        assert sorted(drawn[10 * epoch : 10 * epoch + 10, 0].tolist()) == list(range(10))


def test_an_epoch_ends_with_the_step_that_reaches_its_last_item(plain):
    trainer = plain(vectors(10), batch_size=4, extent=Extent(0, 30))
    ends = []
    while not trainer.done:
        epoch = trainer.epoch
        trainer.step()
        if trainer.epoch > epoch:
            ends.append(trainer.step_count)
            assert trainer.epoch_step == trainer.step_count
    assert ends == [3, 5, 8]
    assert trainer.images == 32


def test_63565_images_in_batches_of_128_are_497_steps(plain):
    trainer = plain(vectors(63_565, 1), batch_size=128, extent=Extent(0, 63_565))
    while not trainer.done:
        trainer.step()
    assert (trainer.step_count, trainer.epoch, trainer.images) == (497, 1, 497 * 128)


def test_progress_tells_where_training_stands(plain):
    trainer = run(plain(vectors(10), batch_size=4, extent=Extent(0, 20)), 4)
    assert [(p.step, p.images, p.epoch) for p in trainer.model.moments] == [(0, 0, 0), (1, 4, 0), (2, 8, 0), (3, 12, 1)]
    assert [p.fraction for p in trainer.model.moments] == [0, 0.2, 0.4, 0.6]
    assert Progress(9, 36, 3, 20, 40).fraction == pytest.approx(0.8)
    assert Progress(9, 36, 3, 20, 30).fraction == 1


def test_a_length_in_steps_ends_after_so_many(plain):
    trainer = plain(extent=Extent(0, 10**9, last_step=3))
    while not trainer.done:
        trainer.step()
    assert trainer.step_count == 3


def test_parts_of_a_batch_are_its_rows():
    loader = Loader(Items(vectors(10)), seed=0)
    whole = loader.draw(6, 8, Share()).images
    parts = [loader.draw(6, 8, Share(index, 4)).images for index in range(4)]
    assert torch.equal(torch.cat(parts), whole)


def test_labels_belong_to_their_images():
    loader = Loader(Items(vectors(10), labels=torch.arange(10) * 2), seed=0)
    batch = loader.draw(3, 9, Share())
    assert torch.equal(batch.label, batch.images[:, 0].long() * 2)


def test_domains_have_orders_of_their_own():
    data = Items(vectors(10))
    data.parts = {"A": Items(vectors(10)), "B": Items(vectors(7) + 100)}
    loader = Loader(data, seed=0)
    assert len(loader) == 10
    batch = loader.draw(0, 70, Share())
    assert torch.equal(batch.images, batch.domains["A"])
    a, b = batch.domains["A"][:, 0], batch.domains["B"][:, 0] - 100
    assert all(sorted(a[i : i + 10].tolist()) == list(range(10)) for i in range(0, 70, 10))
    assert all(sorted(b[i : i + 7].tolist()) == list(range(7)) for i in range(0, 70, 7))


def test_flip_mirrors_about_half_of_the_images_and_leaves_the_rest():
    images = torch.rand(64, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    batch = Loader(Items(images), seed=0, flip=True).draw(0, 64, Share()).images
    original = images[Order(64, 0).at(0, 64)]
    flipped = [torch.equal(ours, theirs.flip(2)) for ours, theirs in zip(batch, original, strict=True)]
    kept = [torch.equal(ours, theirs) for ours, theirs in zip(batch, original, strict=True)]
    assert [a or b for a, b in zip(flipped, kept, strict=True)] == [True] * 64
    assert 16 < sum(flipped) < 48


def test_crop_cuts_a_window_of_each_image():
    images = torch.arange(6.0 * 8).view(1, 1, 6, 8).expand(128, 1, 6, 8)
    torch.manual_seed(0)
    batch = Loader(Items(images), seed=0, crop=(4, 5)).draw(0, 128, Share()).images
    assert batch.shape == (128, 1, 4, 5)
    corners = {(int(corner) // 8, int(corner) % 8) for corner in batch[:, 0, 0, 0]}
    assert corners == {(y, x) for y in range(3) for x in range(4)}
    assert torch.equal(batch[0, 0] - batch[0, 0, 0, 0], images[0, 0, :4, :5])


# ---- randomness ----------------------------------------------------------------------------------------------------


def test_same_seed_same_weights(make_trainer):
    first, second, other = (run(make_trainer(seed=seed), 3) for seed in (3, 3, 4))
    assert_same(weights(first), weights(second))
    assert not torch.equal(first.model.G.dense.weight, other.model.G.dense.weight)


def test_what_runs_between_steps_changes_nothing(make_trainer):
    undisturbed, disturbed = (make_trainer(flip=True, augment="diffaug") for _ in range(2))
    run(undisturbed, 4)
    for k in range(4):
        random.random(), numpy.random.rand(k), torch.rand(7 + k)
        disturbed.step()
    assert_same(weights(undisturbed), weights(disturbed))


def test_every_step_draws_anew(make_trainer):
    class Noting(TinyGAN):
        def noise(self, count):
            drawn.append(super().noise(count))
            return drawn[-1]

    drawn: list[Tensor] = []
    run(make_trainer(Noting), 2)
    assert not torch.equal(*drawn)


def test_python_and_numpy_are_seeded_too(plain):
    def step(self, batches, progress):
        self.drawn = [*getattr(self, "drawn", []), random.random(), numpy.random.rand()]
        yield from Plain.step(self, batches, progress)

    assert run(plain(step=step), 3).model.drawn == run(plain(step=step), 3).model.drawn


def test_rows_are_those_of_the_whole_draw():
    torch.manual_seed(0)
    whole = rows((8, 3))
    parts = []
    for index in range(4):
        torch.manual_seed(0)
        with sharing(index, 4):
            parts.append(rows((2, 3)))
    assert torch.equal(torch.cat(parts), whole)
    torch.manual_seed(0)
    assert torch.equal(torch.randn(8, 3), whole)
    assert rows((5,), torch.rand).min() >= 0


# ---- going on ------------------------------------------------------------------------------------------------------


class Remembering(TinyGAN):
    """Keeps a running mean of D's verdict in a `TrainingState`, and lets it weigh in the loss."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.memory = TrainingState()
        self.memory.register_buffer("verdict", torch.zeros(()))
        self.memory.register_buffer("pool", torch.zeros(4, *data.shape))

    def step(self, batches, progress):
        for update in super().step(batches, progress):
            if update.names == ("D",):
                update.terms["memory"] = self.memory.verdict * sum(p.square().sum() for p in self.D.parameters())
            yield update
        self.memory.verdict.lerp_(update.watch["D(G(z)) after"], 0.5)
        self.memory.pool.copy_(torch.randn_like(self.memory.pool))


def everything(trainer) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.state()[0].items()}


def stored(trainer, file):
    tensors, counters = trainer.state()
    checkpoint.save(file, tensors, as_json(counters))


def taken_up(file):
    tensors, facts = checkpoint.load(file)
    return tensors, from_json(Counters, facts, file, "")


@pytest.mark.parametrize("steps", [1, 3])
def test_going_on_from_a_state_equals_never_stopping(make_trainer, tmp_path, steps):
    options = {"flip": True, "augment": "diffaug", "penalty": "r1"}
    through = run(make_trainer(Remembering, **options), 6)
    stored(run(make_trainer(Remembering, **options), steps), tmp_path / "state")

    resumed = make_trainer(Remembering, **options)
    resumed.load_state(*taken_up(tmp_path / "state"))
    assert resumed.step_count == steps
    assert resumed.images == 8 * steps
    run(resumed, 6 - steps)
    assert_same(everything(resumed), everything(through))
    assert resumed.state()[1] == through.state()[1]
    kinds = {name.split("/")[0] for name in everything(through)}
    assert kinds == {"model", "ema", "optimizer"}
    assert "optimizer/G/0/exp_avg_sq" in everything(through)
    assert through.model.memory.verdict != 0


def test_training_state_is_saved_but_is_no_network(make_trainer):
    trainer = make_trainer(Remembering)
    assert list(networks(trainer.model)) == ["G", "D"]
    assert set(parameter_counts(trainer.model)) == {"G", "D"}
    tensors, _ = trainer.state()
    assert "model/memory.pool" in tensors
    assert all(name.startswith("G.") for name in trainer.ema.tensors)


def test_a_state_of_other_networks_is_refused_in_one_sentence(make_trainer):
    state = make_trainer(width=4).state()
    with pytest.raises(GanzooError, match="does not fit TinyGAN as configured") as error:
        make_trainer(width=8).load_state(*state)
    assert "\n" not in str(error.value)


def test_a_loaded_state_keeps_the_new_rates_and_betas(make_trainer):
    state = run(make_trainer(lr=0.01, beta1=0.5), 2).state()
    changed = make_trainer(lr=0.003, beta1=0.2)
    changed.load_state(*state)
    (group,) = changed.optimizers["D"].param_groups
    assert (group["lr"], group["betas"][0]) == (0.003, 0.2)
    changed.step()
    (group,) = changed.optimizers["D"].param_groups
    assert group["lr"] == 0.003
    assert {state["step"].item() for state in changed.optimizers["D"].state.values()} == {3}


# ---- accumulation --------------------------------------------------------------------------------------------------


class Descending(TinyGAN):
    """TinyGAN by SGD, which, unlike Adam, does not blow rounding errors up; keeps its noise and its fakes."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.drawn: list[Tensor] = []

    def noise(self, count):
        self.drawn.append(super().noise(count))
        return self.drawn[-1]

    def optimizer(self, network, parameters):
        return torch.optim.SGD(parameters, lr=0.05)


@pytest.mark.parametrize("parts", [2, 4])
@pytest.mark.parametrize("options", [{}, {"augment": "diffaug", "penalty": "wgan-gp+dragan:spread=0", "n_critic": 2}])
def test_a_batch_in_parts_trains_as_the_whole(make_trainer, options, parts):
    """Without batch norm; DRAGAN only without spread, which takes the deviation over what it is given."""
    whole, split = (make_trainer(Descending, flip=True, accumulate=n, **options) for n in (1, parts))
    assert_same(weights(whole), weights(split))
    for _ in range(3):
        ours, theirs = ({name: float(value) for name, value in trainer.step().items()} for trainer in (split, whole))
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-5)
    assert (split.images, split.epoch) == (whole.images, whole.epoch)
    for name, value in weights(whole).items():
        assert torch.allclose(weights(split)[name], value, rtol=1e-5, atol=1e-6), name


def test_noise_in_parts_is_the_whole_noise(make_trainer):
    whole, parts = run(make_trainer(Descending), 2), run(make_trainer(Descending, accumulate=4), 2)
    for step in range(2):
        assert torch.equal(torch.cat(parts.model.drawn[4 * step : 4 * step + 4]), whole.model.drawn[step])


@pytest.mark.parametrize(("size", "parts", "near"), [(9, 4, 8), (11, 4, 12), (7, 3, 6), (3, 8, 8)])
def test_an_uneven_split_names_the_nearest_batch(make_trainer, size, parts, near):
    with pytest.raises(UsageError, match=f"--batch-size {near}"):
        make_trainer(batch_size=size, accumulate=parts).step()


def test_the_architecture_may_change_the_batch(plain):
    trainer = plain(batch_size=lambda self, progress: 4 if progress.images < 8 else None)
    run(trainer, 4)
    assert [len(batch) for batch in trainer.model.batches] == [4, 4, 8, 8]
    assert sorted(torch.cat(trainer.model.batches)[:, 0].tolist()) == list(range(24))


class Controlled(Plain):
    """Its k follows the sum over the batch, up to a bound, which N smaller moves would meet at another place."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.state = TrainingState()
        for name in ("total", "k"):
            self.state.register_buffer(name, torch.zeros(()))

    def step(self, batches, progress):
        self.moments.append(progress)
        real = next(batches).images
        yield Update("D", {"loss": -self.D(real).mean()})
        if progress.part == 0:
            self.state.total.zero_()
        self.state.total += real.sum()
        if progress.part == progress.parts - 1:
            self.state.k.copy_((self.state.k + self.state.total).clamp(max=500) / 2)


@pytest.mark.parametrize("parts", [2, 4])
def test_a_sum_over_parts_is_that_of_the_whole_batch(make_trainer, parts):
    whole, split = (run(make_trainer(Controlled, items=vectors(), accumulate=n), 5).model for n in (1, parts))
    assert [moment.part for moment in split.moments] == list(range(parts)) * 5
    assert {moment.parts for moment in split.moments} == {parts}
    assert torch.equal(split.state.k, whole.state.k)
    assert 0 < split.state.k < 500


# ---- averaging -----------------------------------------------------------------------------------------------------


def test_beta_is_the_half_life_ramped(make_trainer):
    average = EMA(make_trainer().model, half_life=100)
    assert average.beta(8) == 1 / 10
    average.steps = 5
    assert average.beta(8) == 6 / 15
    average.steps = 10**6
    assert average.beta(8) == 0.5 ** (8 / 100)
    assert average.beta(100) == 0.5
    assert EMA(make_trainer().model, half_life=0).beta(8) == 0


def test_the_average_moves_by_one_minus_beta(make_trainer):
    trainer = make_trainer()
    before = weights(trainer)
    trainer.step()
    first = {name: value.clone() for name, value in trainer.ema.tensors.items()}
    for name, value in first.items():
        expected = before[name] + (1 - 0.1) * (trainer.model.state_dict()[name] - before[name])
        assert torch.allclose(value, expected, atol=1e-7)
    trainer.step()
    for name, value in trainer.ema.tensors.items():
        expected = first[name] + (1 - 2 / 11) * (trainer.model.state_dict()[name] - first[name])
        assert torch.allclose(value, expected, atol=1e-7)


def test_without_averaging_it_is_the_model(make_trainer):
    trainer = run(make_trainer(half_life=0), 3)
    assert_same(trainer.ema.tensors, {k: v for k, v in weights(trainer).items() if k.startswith("G.")})


def test_statistics_are_averaged_and_counters_copied(make_trainer):
    class Normed(TinyGAN):
        def __init__(self, config, data):
            super().__init__(config, data)
            self.G.up = nn.Sequential(nn.BatchNorm2d(config.width), self.G.up)
            self.G.register_buffer("scale", torch.zeros(2))

        def step(self, batches, progress):
            self.G.scale += 1
            yield from super().step(batches, progress)

    trainer = make_trainer(Normed)
    before = weights(trainer)
    trainer.step()
    average, now = trainer.ema.tensors, weights(trainer)
    assert set(average) == {name for name in now if name.startswith("G.")}
    for name in ("G.up.0.running_mean", "G.up.0.running_var"):
        assert not torch.equal(now[name], before[name])
        assert torch.allclose(average[name], before[name] + 0.9 * (now[name] - before[name]))
    assert average["G.up.0.num_batches_tracked"] == now["G.up.0.num_batches_tracked"] == 1
    assert average["G.up.0.num_batches_tracked"].dtype == torch.int64
    assert average["G.scale"].tolist() == [1, 1]


def test_the_average_does_not_move_in_a_step_without_the_generator(plain):
    def step(self, batches, progress):
        turns = Plain.step(self, batches, progress)
        yield from turns if progress.step else islice(turns, 1)

    trainer = run(plain(step=step), 1)
    assert trainer.ema.steps == 0
    assert run(trainer, 1).ema.steps == 1


# ---- turns ---------------------------------------------------------------------------------------------------------


def test_only_the_player_who_moves_gets_a_gradient(plain):
    trainer = run(plain(), 1)
    assert trainer.model.seen == [("D", ["D"]), ("G", ["G"])]
    assert trainer.model.with_gradient() == []


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_g_is_judged_by_the_updated_d(make_trainer, precision):
    """Under autocast too, which keeps casts of the weights: stale ones would judge with the D of before."""

    class Witness(TinyGAN):
        def discriminate(self, images, label=None):
            logits = super().discriminate(images, label)
            self.judged = [*getattr(self, "judged", [])[-1:], (images.detach(), logits.detach())]
            return logits

    trainer = run(make_trainer(Witness, precision=precision, lr=0.05), 2)
    (fakes, before), (same, after) = trainer.model.judged  # D's turn, then G's; D has not moved since
    assert torch.equal(fakes, same)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        fresh = trainer.model.D(same)
    assert torch.equal(after, fresh)
    assert (after.float() - before.float()).abs().max() > 0.05, "D moved too little for this test to tell"


def test_bfloat16_keeps_weights_losses_and_average_in_float32(make_trainer):
    trainer = make_trainer(precision="bf16", penalty="wgan-gp+drift")
    values = trainer.step()
    assert {value.dtype for value in values.values()} == {torch.float32}
    assert {value.dtype for value in weights(trainer).values()} == {torch.float32}
    assert {value.dtype for value in trainer.ema.tensors.values()} == {torch.float32}


def test_several_turns_of_d_each_with_its_own_batch(make_trainer):
    class Noting(TinyGAN):
        def step(self, batches, progress):
            def noted():
                while True:
                    drawn.append(next(batches))
                    yield drawn[-1]

            yield from super().step(noted(), progress)

    drawn: list[Batch] = []
    trainer = run(make_trainer(Noting, n_critic=3), 1)
    assert len(drawn) == 3
    assert trainer.images == 24
    assert len({tuple(image.flatten().tolist()) for batch in drawn for image in batch.images}) == 24
    taken = {name: {int(s["step"]) for s in o.state.values()} for name, o in trainer.optimizers.items()}
    assert taken == {"D": {3}, "G": {1}}


def test_networks_that_step_together(plain):
    def init(self, config, data):
        Plain.__init__(self, config, data)
        self.Q = nn.Linear(data.shape[0], 3)

    def step(self, batches, progress):
        z = self.noise(len(next(batches).images))
        fake = self.G(z)
        yield Update(("G", "Q"), {"code": (self.Q(fake) - z).square().mean(), "other": -self.D(fake).mean()})

    trainer = plain(__init__=init, step=step)
    before = weights(trainer)
    values = trainer.step()
    assert trainer.model.seen == [("G", ["G", "Q"]), ("Q", ["G", "Q"])]
    assert {name.split(".")[0] for name in before if not torch.equal(before[name], weights(trainer)[name])} == {
        "G",
        "Q",
    }
    assert set(values) == {"loss/G+Q", "loss/G+Q/code", "loss/G+Q/other"}
    assert values["loss/G+Q"] == pytest.approx((values["loss/G+Q/code"] + values["loss/G+Q/other"]).item())


def test_networks_in_a_module_dict(plain):
    def init(self, config, data):
        Plain.__init__(self, config, data)
        self.G = nn.ModuleDict({"AB": nn.Linear(2, 2), "BA": nn.Linear(2, 2)})

    def step(self, batches, progress):
        real = next(batches).images
        names = "G" if progress.step == 0 else "G.AB"
        yield Update(names, {"cycle": (self.G["BA"](self.G["AB"](real)) - real).square().mean()})

    trainer = plain(__init__=init, step=step, lr=1e-4)
    assert set(networks(trainer.model)) == {"G.AB", "G.BA", "D"}
    assert set(trainer.ema.tensors) == {"G.AB.weight", "G.AB.bias", "G.BA.weight", "G.BA.bias"}
    run(trainer, 2)
    assert [name for name, _ in trainer.model.seen] == ["G.AB", "G.BA", "G.AB"]
    assert trainer.model.seen[2] == ("G.AB", ["G.AB"])


def test_clipping_holds_for_all_networks_of_the_update_together(plain):
    def step(self, batches, progress):
        real = next(batches).images
        loss = 100 * (self.D(real).mean() + self.G(self.noise(len(real))).mean())
        yield Update(("G", "D"), {"loss": loss}, clip=0.5)

    trainer = plain(step=step, lr=1.0)
    before = weights(trainer)
    trainer.step()
    moved = torch.cat([(weights(trainer)[name] - before[name]).flatten() for name in before])
    assert moved.norm().item() == pytest.approx(0.5, rel=1e-4)


def test_clipping_leaves_small_gradients_alone(plain):
    def step(self, batches, progress, clip=None):
        for update in Plain.step(self, batches, progress):
            yield Update(update.names, update.terms, clip=clip)

    clipped = plain(step=lambda self, batches, progress: step(self, batches, progress, clip=1e6))
    assert_same(weights(run(clipped, 2)), weights(run(plain(step=step), 2)))


# ---- gradients' norms ------------------------------------------------------------------------------------------------


def test_the_norm_of_a_gradient_is_over_all_of_a_network_and_before_clipping(plain):
    """D's loss is linear in its weights: the gradient is the mean fake less the mean real item, and 0 for the bias."""
    found = {}

    def step(self, batches, progress):
        real = next(batches).images
        fake = self.G(self.noise(len(real))).detach()
        found["mean"] = (fake.mean(0) - real.mean(0)).norm()
        yield Update("D", {"loss": self.D(fake).mean() - self.D(real).mean()}, clip=1e-3)

    values = plain(step=step, gradients=True).step()
    assert set(values) == {"loss/D", "loss/D/loss", "gradient/D"}
    assert values["gradient/D"].item() == pytest.approx(found["mean"].item(), rel=1e-5)


def test_two_turns_of_one_network_lose_no_value(plain):
    """Each term has its name; a named turn stands beside the others, whose newest terms make up the network's loss."""

    def step(self, batches, progress):
        real = next(batches).images
        yield Update("D", {"real": -self.D(real).mean()})
        size = self.D.weight.square().sum()
        yield Update("D", {"weights": size, "real": 0 * size + 2})
        yield Update("D", {"r1": 3 * self.D.weight.square().sum()}, name="r1")
        yield Update("D", {"a": self.D.bias.sum(), "b": self.D.bias.sum()}, name="lazy")

    values = plain(step=step).step()
    assert list(values) == [
        "loss/D", "loss/D/real", "loss/D/weights", "loss/D/r1", "loss/D/lazy", "loss/D/lazy/a", "loss/D/lazy/b",
    ]  # fmt: skip
    assert values["loss/D/real"] == 2
    assert values["loss/D"] == values["loss/D/weights"] + 2
    assert values["loss/D/lazy"] == 2 * values["loss/D/lazy/a"]


def test_a_turn_that_comes_at_some_steps_only_is_checked_when_it_comes(plain):
    def step(self, batches, progress):
        yield from Plain.step(self, batches, progress)
        if progress.step == 2:
            yield Update("D", {"r1": self.D.weight.detach().sum()}, name="r1")

    trainer = run(plain(step=step), 2)
    with pytest.raises(ContractError, match="reaches no parameter of D"):
        trainer.step()


class Frozen(Plain):
    """Has a network that nothing trains, by which D is told what it sees."""

    def __init__(self, config, data):
        super().__init__(config, data)
        self.E = nn.Linear(data.shape[0], data.shape[0]).requires_grad_(False)


def test_a_wholly_frozen_network_has_no_optimizer_and_stays(make_trainer, tmp_path):
    trainer = make_trainer(Frozen, items=vectors())
    before = weights(trainer)
    run(trainer, 2)
    assert set(trainer.optimizers) == {"G", "D"}
    assert torch.equal(trainer.model.E.weight, before["E.weight"])
    other = make_trainer(Frozen, items=vectors())
    stored(trainer, tmp_path / "state")
    other.load_state(*taken_up(tmp_path / "state"))
    assert_same(everything(other), everything(trainer))


def test_an_update_of_a_wholly_frozen_network_gets_a_sentence(make_trainer):
    class Moving(Frozen):
        def step(self, batches, progress):
            yield Update("E", {"loss": self.E(next(batches).images).mean()})

    with pytest.raises(ContractError, match="all of whose parameters are frozen"):
        make_trainer(Moving, items=vectors()).step()


def test_logging_gradients_changes_nothing(make_trainer):
    with_them, without = make_trainer(gradients=True), make_trainer()
    for _ in range(3):
        values = with_them.step()
        norms = {name: values.pop(name) for name in ("gradient/D", "gradient/G")}
        assert all(norm > 0 and not norm.requires_grad for norm in norms.values())
        assert_same(values, without.step())
    assert_same(everything(with_them), everything(without))


def test_the_norm_is_that_of_the_whole_batch_and_of_each_network(make_trainer, plain):
    whole, parts = (make_trainer(gradients=True, accumulate=n).step() for n in (1, 4))
    for name in ("gradient/D", "gradient/G"):
        assert parts[name].item() == pytest.approx(whole[name].item(), rel=1e-4)

    def together(self, batches, progress):
        real = next(batches).images
        yield Update(("G", "D"), {"loss": self.D(real).mean() + 0 * self.G(self.noise(len(real))).mean()})

    values = plain(step=together, gradients=True).step()
    assert values["gradient/G"] == 0 < values["gradient/D"]


def test_a_rate_of_0_keeps_a_network_as_it_is(make_trainer):
    trainer = make_trainer(lr=0.0, lr_d=0.01, gradients=True)
    before = weights(trainer)
    values = trainer.step()
    moved = {name[0] for name, value in weights(trainer).items() if not torch.equal(value, before[name])}
    assert moved == {"D"}
    assert values["gradient/G"] > 0


def test_the_rate_is_the_optimizers_times_the_factor(plain):
    trainer = plain(lr=0.4, learning_rate=lambda self, progress, network: 0.5 if network == "G" else progress.step)
    rates = []
    for _ in range(3):
        trainer.step()
        rates.append(tuple(trainer.optimizers[name].param_groups[0]["lr"] for name in ("G", "D")))
    assert rates == [(0.2, 0.0), (0.2, 0.4), (0.2, 0.8)]


def test_a_rate_of_its_own_for_d(make_trainer):
    trainer = make_trainer(lr=0.01, lr_d=0.04)
    assert [trainer.optimizers[name].param_groups[0]["lr"] for name in ("G", "D")] == [0.01, 0.04]


class Growing(TinyGAN):
    def phase(self, progress):
        return progress.images >= 16


def test_a_new_stage_starts_optimizers_fresh(make_trainer):
    trainer = make_trainer(Growing)
    counts = []
    for _ in range(4):
        trainer.step()
        counts.append({int(state["step"]) for state in trainer.optimizers["G"].state.values()})
    assert counts == [{1}, {2}, {1}, {2}]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_going_on_around_a_change_of_stage(make_trainer, steps):
    through = run(make_trainer(Growing), 4)
    resumed = make_trainer(Growing)
    resumed.load_state(*run(make_trainer(Growing), steps).state())
    assert_same(everything(run(resumed, 4 - steps)), everything(through))


def test_watch_values_come_back_detached(plain):
    def step(self, batches, progress):
        for update in Plain.step(self, batches, progress):
            update.watch = {"verdict": self.D(next(batches).images)}
            yield update

    values = plain(step=step).step()
    assert values["verdict"].shape == ()
    assert not any(value.requires_grad for value in values.values())


# ---- authors' mistakes ---------------------------------------------------------------------------------------------


def yields_nothing(self, batches, progress):
    next(batches)
    return
    yield


def has_no_yield(self, batches, progress):
    next(batches)


def draws_nothing(self, batches, progress):
    yield Update("G", {"loss": self.G(self.noise(4)).mean()})


def yields_a_tensor(self, batches, progress):
    yield self.G(self.noise(len(next(batches).images))).mean()


def names_no_network(self, batches, progress):
    yield Update("g", {"loss": self.G(self.noise(len(next(batches).images))).mean()})


def detaches(self, batches, progress):
    yield Update("G", {"loss": self.D(self.G(self.noise(len(next(batches).images))).detach()).mean()})


def detaches_one_of_two(self, batches, progress):
    yield Update(("D", "G"), {"loss": self.D(self.G(self.noise(len(next(batches).images))).detach()).mean()})


def detaches_all(self, batches, progress):
    yield Update("D", {"loss": self.D(next(batches).images).detach().mean()})


def yields_inside_no_grad(self, batches, progress):
    with torch.no_grad():
        yield Update("D", {"loss": self.D(next(batches).images).mean()})


def yields_inside_autocast(self, batches, progress):
    with torch.autocast("cpu", torch.bfloat16):
        yield Update("D", {"loss": self.D(next(batches).images).mean()})


def turns_gradients_off(self, batches, progress):
    yield from Plain.step(self, batches, progress)
    torch.set_grad_enabled(False)


def has_no_terms(self, batches, progress):
    next(batches)
    yield Update("D", {})


def gives_a_loss_for_each_item(self, batches, progress):
    yield Update("D", {"loss": self.D(next(batches).images)})


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (yields_nothing, r"step yielded nothing; it should yield an Update"),
        (has_no_yield, r"Plain\.step .*yield"),
        (draws_nothing, r"step drew no batch; call next\(batches\)"),
        (yields_a_tensor, r"step yields a Tensor; it should yield Update"),
        (names_no_network, r"step updates 'g', which is no network of it; .*G"),
        (detaches, r"reaches no parameter of G: .* detached"),
        (detaches_one_of_two, r"update of G in Plain\.step reaches no parameter of G"),
        (detaches_all, r"reaches no parameter of D"),
        (yields_inside_no_grad, r"yields inside a block that changes grad mode"),
        (yields_inside_autocast, r"yields inside a block that changes grad mode or autocast"),
        (turns_gradients_off, r"grad mode"),
        (has_no_terms, r"yields an Update of D without terms"),
        (gives_a_loss_for_each_item, r"Plain\.step .*loss"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_mistake_gets_a_sentence(plain, step, message):
    with pytest.raises(ContractError, match=message) as error:
        plain(step=step).step()
    assert "\n" not in str(error.value)
    left_on = torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")
    torch.set_grad_enabled(True)
    torch.set_autocast_enabled("cpu", False)
    assert left_on == (True, False), "the mistake's modes outlive it"


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_loss_that_is_not_finite_is_noticed_and_stays_so(plain, value):
    def step(self, batches, progress):
        for update in Plain.step(self, batches, progress):
            if progress.step == 1 and update.names == ("G",):
                update.terms["bad"] = torch.tensor(value)
            yield update

    trainer = plain(step=step)
    trainer.step()
    assert trainer.finite
    trainer.step()
    assert not trainer.finite
    trainer.step()
    assert not trainer.finite
