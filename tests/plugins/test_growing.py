"""Progressive growing: the schedule, the fade of real images, and what is saved of it."""

from __future__ import annotations

import copy
import json
import math

import pytest
import torch
from safetensors.torch import load_file
from support.golden_numbers import FOLDER, OUTPUT, near, stored

from ganzoo.api import DataSpec, Progress, UsageError, downsample, upsample
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.options import build as build_config
from ganzoo.runs.header import Extent

ProGAN = load_architecture(find("architecture", "progan"))
StyleGAN = load_architecture(find("architecture", "stylegan"))
TINY = {"fmap_base": 32, "fmap_max": 4, "latent_dim": 4}
SCHEDULES = json.loads((FOLDER / "growing_schedules.json").read_text(encoding="utf-8"))
PRESETS = {
    "progan_v1_1gpu": (ProGAN, "paper"),
    "progan_v2_1gpu": (ProGAN, "official-1gpu"),
    "progan_v2_8gpu": (ProGAN, "official-8gpu"),
    "stylegan_1gpu": (StyleGAN, "official-1gpu"),
    "stylegan_8gpu": (StyleGAN, "official-8gpu"),
}


def build(cls, side, **options):
    options = {**TINY, **options}
    known = {name: value for name, value in options.items() if name not in ("epochs", "flip")}
    return cls(build_config(cls.Config, known, "it"), DataSpec((3, side, side)))


def at(images: int, total: int = 1000, stage_images: int = 0) -> Progress:
    return Progress(0, images, 0, stage_images, total)


@pytest.mark.parametrize("name", SCHEDULES)
def test_official_schedules(name):
    """Level, batch and rate at each image count, and where Adam starts fresh, as the authors' loops have them."""
    expected = SCHEDULES[name]
    cls, preset = PRESETS[name.rpartition("_")[0]]
    row = {**cls.presets[preset], **TINY}
    with torch.device("meta"):
        model = build(cls, expected["resolution"], **row)
    for images, lod, resolution, minibatch, rate in expected["rows"]:
        progress = at(images, expected["total_images"])
        grown = model.grown(progress)
        assert model.top - grown == pytest.approx(lod, abs=1e-9), images
        assert 4 << math.ceil(grown) == resolution, images
        assert (model.batch_size(progress) or model.config.batch_size) == minibatch, images
        assert model.config.lr * model.learning_rate(progress, "D") == pytest.approx(rate), images
    if expected["resets"]:
        assert resets(model, expected["total_images"]) == expected["resets"]


def resets(model, total: int) -> list[int]:
    """Where the stage changes when it is looked up every four batches, as the authors do."""
    images, before, found = 0, None, []
    while images < total and images < 6_500_000:
        stage = model.phase(at(images, total))
        if stage != before:
            found.append(images)
        before = stage
        images += 4 * (model.batch_size(at(images, total)) or model.config.batch_size)
    return found


def test_without_a_length_the_schedule_fits_the_run():
    model = build(ProGAN, 32)
    for total in (100, 1000, 777, 50_000_000):
        assert model.grown(at(0, total)) == 0
        seen = [model.grown(at(round(total * k / 100), total)) for k in range(101)]
        assert seen == sorted(seen)
        assert {math.ceil(grown) for grown in seen} == {0, 1, 2, 3}
        assert seen[51] == 3
        assert seen[47] < 3
        assert any(grown % 1 for grown in seen)


def test_a_run_too_short_for_its_phases_is_grown_at_its_end():
    model = build(ProGAN, 32, phase_images=600)
    assert model.grown(at(1200, 3600)) == 1
    assert model.grown(at(1200, 3599)) > 1
    assert model.grown(at(1800, 3599)) == 3


def test_later_stages_of_a_run_go_on_fully_grown():
    model = build(ProGAN, 32)
    assert model.grown(at(1000, 1000)) == 3
    assert model.grown(at(1000, 9000, stage_images=1000)) == 3
    assert model.grown(at(1004, 1_000_000, stage_images=1000)) == 3


def test_growing_can_begin_higher_or_not_take_place():
    assert build(ProGAN, 32, start=16).grown(at(0)) == 2
    assert build(ProGAN, 32, start=32).grown(at(0)) == 3
    assert build(ProGAN, 4).grown(at(0)) == 0


def test_a_batch_given_is_never_exceeded():
    model = build(ProGAN, 32, batch_size=48, batch_sizes=(128, 64, 32))
    sizes = [model.batch_size(at(images)) for images in (0, 200, 600, 1000)]
    assert sizes == [48, 48, 32, 32]
    assert build(ProGAN, 32).batch_size(at(0)) is None


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_real_images_fade_as_the_reference_fades_them(alpha):
    numbers = stored("real_fade")
    model = build(ProGAN, 16).double()
    model.D.grow(2)
    model.D.alpha = alpha  # 0 is the instant after the fade began, which no number but a limit stands for
    faded = model.faded(numbers["input/images16"])
    assert near(faded, numbers[f"output/alpha{alpha}"], OUTPUT)


def test_real_images_at_a_lower_level_have_its_pixels():
    model = build(ProGAN, 32)
    images = torch.randn(2, 3, 32, 32)
    model.D.grow(1)
    assert torch.equal(model.faded(images), upsample(downsample(images, 4), 4))
    model.D.grow(1.25)
    faded, pixels = model.faded(images), downsample(images, 2)
    mixed = 0.75 * upsample(downsample(pixels)) + 0.25 * pixels
    assert torch.allclose(faded, upsample(mixed, 2), atol=1e-6)


@pytest.mark.parametrize("cls", [ProGAN, StyleGAN])
def test_a_fade_begins_as_the_level_below_enlarged(cls):
    torch.manual_seed(0)
    model = build(cls, 32).eval()
    z, images = torch.randn(3, 4), torch.randn(4, 3, 32, 32)
    for level in range(3):
        model.G.grow(level)
        below = model.generate(z)
        assert below.shape == (3, 3, 32, 32)
        factor = 8 >> level
        assert torch.equal(below, upsample(below[:, :, ::factor, ::factor], factor))
        model.G.grow(level + 1e-6)
        assert model.G.level == level + 1
        assert torch.allclose(model.generate(z), below, atol=1e-4)
        model.D.grow(level)
        logits = model.D(images)
        model.D.grow(level + 1e-6)
        assert torch.allclose(model.D(images), logits, atol=1e-4)


def test_the_level_is_saved_with_the_weights():
    model = build(ProGAN, 16)
    assert (model.G.level, model.G.alpha) == (2, 1)
    model.G.grow(1.25)
    other, copied = build(ProGAN, 16), copy.deepcopy(model)
    other.load_state_dict(model.state_dict())
    assert (other.G.level, other.G.alpha) == (2, 0.25)
    copied.G.load_state_dict(build(ProGAN, 16).G.state_dict())
    assert (copied.G.level, copied.G.alpha) == (2, 1)
    assert (model.G.level, model.G.alpha) == (2, 0.25)


@pytest.mark.parametrize("shape", [(2,), (3, 48, 48), (3, 32, 64), (3, 2048, 2048), (3, 2, 2)])
def test_sizes_it_cannot_do_are_refused_in_one_sentence(shape):
    with pytest.raises(UsageError) as error, torch.device("meta"):
        ProGAN(ProGAN.Config(), DataSpec(shape))
    assert ("a power of two up to 1024" if len(shape) == 3 else "images") in str(error.value)


def test_a_start_that_is_no_level():
    for start in (12, 64):
        with pytest.raises(UsageError, match=f"--start {start} is no level of 32×32"):
            build(ProGAN, 32, start=start)


@pytest.mark.parametrize("cls", [ProGAN, StyleGAN])
def test_trains_at_each_level(cls, make_trainer):
    """Through every level and fade: each block that takes part gets its gradient, the optimizers start fresh."""
    items = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    trainer = make_trainer(cls, items=items, batch_size=4, half_life=8, **TINY, start=4)
    trainer.extent = Extent(0, 64)
    stages, unmoved = [], set()
    while not trainer.done:
        before = {name: value.clone() for name, value in trainer.model.named_parameters()}
        values = trainer.step()
        assert all(value.isfinite() for value in values.values())
        penalty = values["loss/D/r1" if cls is StyleGAN else "loss/D/wgan-gp"]
        assert penalty > 0
        model = trainer.model
        stages.append((model.G.level, model.G.alpha == 1))
        assert float(trainer.ema.tensors["G.grown"]) == pytest.approx(model.G.level - 1 + model.G.alpha)
        unmoved = {name for name, value in model.named_parameters() if torch.equal(value, before[name])}
        used = f"to_rgb.{model.G.level}."
        assert not any(used in name for name in unmoved)
        if len(stages) > 1 and stages[-1] == stages[-2]:
            assert trainer.optimizers["G"].state
    assert list(dict.fromkeys(stages)) == [(0, True), (1, False), (1, True), (2, False), (2, True)]
    assert all("_rgb.0." in name or "_rgb.1." in name for name in unmoved)


@pytest.mark.parametrize("name", ["progan", "stylegan"])
def test_resumed_in_the_middle_of_a_fade_a_run_ends_the_same(name, train, monkeypatch):
    """And once more in a second stage, which is longer than all before it and must not grow anew."""
    import ganzoo
    from ganzoo.loop.display import Display
    from ganzoo.loop.trainer import Trainer

    options = {**TINY, "resolution": 8, "start": 4, "batch_size": 4, "images": 48, "seed": 3}
    whole = train("whole", name, **options)
    step, fading = Trainer.step, []

    def stop_at(count):
        def interrupted(self):
            if self.step_count == count:
                fading.append(self.model.G.alpha)
                raise KeyboardInterrupt
            return step(self)

        monkeypatch.setattr(Trainer, "step", interrupted)

    stop_at(5)
    with pytest.raises(ganzoo.Stopped):
        train("broken", name, **options, checkpoint_every=1)
    assert 0 < fading[0] < 1
    stop_at(None)
    broken = ganzoo.resume("broken", display=Display())
    assert same_weights(whole, broken)
    images = ganzoo.load(whole.path).sample(20, seed=1)
    assert images.shape == (20, 3, 8, 8)
    assert torch.allclose(ganzoo.load(broken.path).sample(3, seed=1), images[:3], atol=1e-5)

    whole = ganzoo.extend(whole, images=56, display=Display())
    stop_at(15)
    with pytest.raises(ganzoo.Stopped):
        ganzoo.extend(broken, images=56, checkpoint_every=1, display=Display())
    assert fading[1] == 1
    stop_at(None)
    assert same_weights(whole, ganzoo.resume(broken, display=Display()))


def same_weights(one, other) -> bool:
    """Whether the last checkpoints of two runs are the same to the bit."""
    first, second = (load_file(run.checkpoints()[-1]) for run in (one, other))
    return set(first) == set(second) and all(torch.equal(value, second[key]) for key, value in first.items())


def test_the_forecast_knows_that_later_levels_take_longer(monkeypatch):
    """Steps are counted with the batch of their level, seconds as a mean over the levels."""
    from ganzoo.loop.display import Display
    from ganzoo.plan.plan import plan_run
    from ganzoo.training import estimate as forecast
    from ganzoo.training.prepare import prepare

    options = {**TINY, "resolution": 16, "batch_size": 16, "batch_sizes": (16, 8, 4), "images": 4800, "device": "cpu"}
    session = prepare(plan_run("progan", "tiny", **options), Display())
    assert forecast.steps_of(session) == math.ceil(600 / 16 + 1200 / 8 + 3000 / 4)
    monkeypatch.setattr(forecast, "_mean", lambda trainer, *_: 4.0 ** trainer.model.grown(trainer.progress))
    seconds = forecast.forecast(session).training
    assert 0.9 < seconds / (37.5 * 1 + 75 * 2 + 75 * 4 + 150 * 8 + 600 * 16) < 1.1
