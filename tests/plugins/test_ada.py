"""ADA against the released code's own numbers, and how its strength follows D."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ganzoo_ada import pipeline
from ganzoo_ada.ada import Ada, moved
from ganzoo_ada.corruptions import CUTOUT, FILTER, NOISE, filter_bank
from ganzoo_ada.pipeline import BLIT, COLOR, GEOMETRIC, SYM6, Groups, augment, draw
from support.golden_numbers import GRADIENT, OUTPUT, near, stored

from ganzoo.api import DataSpec, Progress, make_augmentation
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.loop.trainer import Trainer
from ganzoo.testing.architecture.cases import cases
from ganzoo.testing.architecture.simulated_processes import Lockstep

GOLDEN = stored("ada_augment")
CONTROLLER = json.loads((Path(__file__).parents[1] / "golden" / "ada_controller.json").read_text())
BGC = BLIT | GEOMETRIC | COLOR
ALL = BGC | FILTER | CUTOUT
SEVERAL = {
    "rotate": {"rotate_pre", "rotate_post"},
    "colour_grey": set(COLOR),
    "imgfilter": set(FILTER),
    "bgc": set(BGC),
}
ONE = torch.ones(())
CASES = sorted(key.removeprefix("output/") for key in GOLDEN if "percentile" in key and key.startswith("output/"))


def at_percentile(q, count, names):
    """Draws that are all the same percentile, of some changes; the others are not done."""
    normal = torch.erfinv(torch.tensor(2 * q - 1)).item()  # the reference leaves out the root of 2
    values = {name: q if how is torch.rand else normal for name, (how, _) in ALL.items()} | {"rotate_post": 0.5}
    return {
        name: (torch.full((count, numbers), values[name]), torch.full((count, 1), 0.0 if name in names else 2.0))
        for name, (_, numbers) in ALL.items()
    }


def drawn():
    """The draws that the reference made."""
    found = {key.split("_", 1)[1].rsplit("_", 1)[0]: value.float() for key, value in GOLDEN.items() if "/draw" in key}
    return {
        name: (found[name].reshape(4, numbers), found[f"{name}_gate"].reshape(4, 1))
        for name, (_, numbers) in BGC.items()
    }


def moment(step, images):
    return Progress(step, images, 0, 0, 10**6)


def test_the_filter():
    assert near(torch.tensor(SYM6) / 2**0.5, GOLDEN["output/Hz_geom"], OUTPUT)
    assert near(torch.from_numpy(filter_bank()).float(), GOLDEN["output/Hz_fbank"], OUTPUT)
    identity = filter_bank().sum(0)
    assert identity[21] == pytest.approx(1)
    assert abs(identity).sum() == pytest.approx(1)


@pytest.mark.parametrize("case", CASES)
def test_each_change_by_itself(case):
    name, _, q = case.removesuffix("_first").partition("_percentile")
    names = SEVERAL.get(name, {name})
    images = GOLDEN["input/grey" if "grey" in name else "input/images"].float()
    moves = bool(names & {*BLIT, *GEOMETRIC})
    groups = Groups(moves, moves, *(not names.isdisjoint(group) for group in (COLOR, FILTER, NOISE, CUTOUT)))
    out = augment(images, at_percentile(float(q), len(images), names), ONE, groups)
    assert near(out[: len(GOLDEN[f"output/{case}"])], GOLDEN[f"output/{case}"].float(), OUTPUT)


@pytest.mark.parametrize(
    ("case", "given", "probe"), [("bgc_percentile0.7", "images", "bgc"), ("bgc_drawn_p0.6", "square", "bgc_drawn")]
)
def test_all_together_and_the_gradient(case, given, probe):
    images = GOLDEN[f"input/{given}"].float().requires_grad_()
    draws = drawn() if "drawn" in case else at_percentile(0.7, len(images), set(BGC))
    out = augment(images, draws, torch.tensor(0.6) if "drawn" in case else ONE, Groups())
    assert near(out, GOLDEN[f"output/{case}"].float(), OUTPUT)
    (slope,) = torch.autograd.grad((out * GOLDEN[f"probe/{probe}"].float()).sum(), images)
    assert near(slope, GOLDEN[f"grad/{case}/input/{given}"].float(), GRADIENT)


def test_noise_is_as_loud_as_drawn_and_leaves_alpha():
    groups = Groups(False, False, False, noise=True)
    images = torch.zeros(400, 4, 8, 8)
    torch.manual_seed(0)
    out = augment(images, draw(images.shape, images.device, groups), torch.tensor(0.5), groups)
    loud = out[:, :3].flatten(1).std(1)
    assert 0.4 < (loud > 0).float().mean() < 0.6
    assert float(loud[loud > 0].mean()) == pytest.approx(0.1 * (2 / torch.pi) ** 0.5, rel=0.15)  # of |N(0, 1)|
    assert not out[:, 3:].any()


def test_colors_change_as_often_as_their_chance_says():
    images = torch.rand(2000, 1, 2, 2)
    torch.manual_seed(0)
    for chance in (1.0, 0.5):
        groups = Groups(False, False, color_chance=chance)
        out = augment(images, draw(images.shape, images.device, groups), torch.tensor(0.4), groups)
        untouched = (out - images).abs().flatten(1).amax(1) < 1e-6
        left = (1 - 0.4 * chance) ** 2 * (1 - 0.4 * chance / 2)  # a flip of the luma is none half of the time
        assert float(untouched.float().mean()) == pytest.approx(left, abs=0.05)


@pytest.mark.parametrize("side", [1, 2, 8])
def test_small_images_are_mirrored_as_often_as_the_filter_needs(side):
    groups = Groups(False, False, False, filter=True)
    images = torch.full((4, 3, side, side), 0.5)
    out = augment(images, draw(images.shape, images.device, groups), ONE, groups)
    assert out.shape == images.shape
    assert torch.allclose(out, out[..., :1, :1].expand_as(out), atol=1e-5)  # what is flat stays flat
    assert not torch.allclose(out, images)


def test_what_is_off_draws_nothing():
    shape, device = torch.Size((4, 3, 8, 8)), torch.device("cpu")
    torch.manual_seed(0)
    plain = draw(shape, device, Groups())
    torch.manual_seed(0)
    more = draw(shape, device, Groups(filter=True, noise=True, cutout=True))
    assert {*more} - {*plain} == {*FILTER, *NOISE, *CUTOUT, "grain"}
    assert all(torch.equal(value, more[name][0]) for name, (value, _) in plain.items())


@pytest.mark.parametrize("case", CONTROLLER)
def test_the_strength_moves_as_the_references_before_it_is_bounded(case):
    rows = CONTROLLER[case]
    strength = torch.tensor(0.999 if "above" in case else 0.0)
    for row in rows:
        sign = torch.tensor(row["mean_sign"])
        strength = moved(strength, sign, 0.6, abs(row["adjust"]))
        assert float(strength) == pytest.approx(row["p"], abs=1e-7)


def test_the_strength_of_a_run_moves_every_4_steps_and_ends_at_1():
    ada = make_augmentation("ada:speed=128")
    seen = []
    for step in range(21):
        ada.begin_step(moment(step, 8 * step))
        seen.append(float(ada.watch()["augment/ada"]))
        ada.observe(torch.ones(8) if step < 16 else -torch.ones(8))
    assert seen == [0] * 4 + [0.25] * 4 + [0.5] * 4 + [0.75] * 4 + [1] * 4 + [0.75]
    ada = make_augmentation("ada:speed=8")
    for step in range(9):
        ada.observe(torch.ones(8))
        ada.begin_step(moment(step, 8 * step))
    assert float(ada.watch()["augment/ada"]) == 1


def test_a_strength_of_ones_own_does_not_follow_d():
    ada = make_augmentation("ada:strength=linear:0:0.5:1000")
    for step, strength in ((0, 0), (4, 0.25), (8, 0.5)):
        ada.begin_step(moment(step, 125 * step))
        assert float(ada.watch()["augment/ada"]) == strength
        ada.observe(torch.ones(8))


def test_patches_count_by_image():
    state = Ada().state()
    state.observe(torch.cat([torch.ones(1, 1, 2, 2), -torch.ones(1, 1, 2, 2)]))
    state.observe(torch.tensor([[1.0, 1.0, 1.0, -1.0]]))
    assert (float(state.signs), float(state.count)) == (0.5, 3)


@pytest.mark.parametrize("how", ["parts", "processes"])
def test_parts_and_processes_move_as_the_whole_batch(make_trainer, how):
    """The same batch in two: the strength and D's first weights go where those of the whole batch do."""

    def trained(**options):
        trainer = make_trainer(augment="ada:target=-0.9,speed=64,interval=2", batch_size=8, **options)
        moved = [float(trainer.step()["augment/ada"]) for _ in range(7)]
        kept = dict(trainer.model.named_buffers())  # what a run that is resumed with other processes goes on with
        return [*moved, *(float(kept[f"augment.ada.{name}"]) for name in ("strength", "signs", "count"))]

    whole = trained()
    assert whole[-3] > 0
    assert whole[-1] == 8
    if how == "parts":
        assert trained(accumulate=2) == whole
    else:
        assert Lockstep(2).run(trained) == [whole, whole]


def test_a_run_forecasts_its_memory_first(tmp_path):
    """In a new process the plugin is imported while torch makes tensors without memory."""
    words = "train dcgan digits:images=32 --preset small --steps 5 --batch-size 8 --device cpu --augment ada:speed=16"
    command = [sys.executable, "-m", "ganzoo", *words.split(), "--penalty", "r1:gamma=linear:2:0,every=4"]
    done = subprocess.run([*command, "--out", str(tmp_path / "run")], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (*_, last) = map(json.loads, (tmp_path / "run" / "metrics.jsonl").read_text().splitlines())
    assert 0 <= last["augment/ada"] <= 1
    assert "loss/D/r1" in last


def test_r1_goes_through_it(make_trainer):
    trainer = make_trainer(augment="ada:strength=0.9", penalty="r1")
    seen = trainer.step()
    assert seen["augment/ada"] == pytest.approx(0.9)
    assert seen["loss/D/r1"].isfinite()
    assert seen["loss/D/r1"] > 0


def test_colours_with_alpha_and_half_precision():
    torch.manual_seed(0)
    images = torch.rand(2, 4, 8, 8)
    ada = make_augmentation("ada:strength=1,blit=no,geometric=no")
    ada.begin_step(moment(0, 0))
    assert torch.equal(ada(images)[:, 3], images[:, 3])
    assert ada(images.bfloat16()).dtype == torch.bfloat16


def test_the_checks_pass():
    from ganzoo.testing import checks

    said = {check.name: check.outcome() for check in checks("ada")}
    assert {name: (each.word, each.message) for name, each in said.items() if each.word == "failed"} == {}
    assert said["strength"].word == "passed"


@pytest.mark.parametrize("name", ["cyclegan", "discogan", "cut", "stargan"])
def test_translators_train_with_it(name):
    entry = find("architecture", name)
    case = next(iter(cases(entry, load_architecture(entry))))
    augmented = replace(case, config=replace(case.config, augment="ada:target=-0.9,speed=64,interval=1"))
    trainer = augmented.trainer(Trainer)
    strengths = [float(values.get("augment/ada", -1)) for values in (trainer.step() for _ in range(4))]
    assert max(strengths) > 0
    assert trainer.is_finite()


@pytest.mark.parametrize("channels", [{}, {"A": 1, "B": 3}], ids=["colours", "grey to colours"])
def test_a_pair_is_altered_alike(channels):
    """pix2pix's D sees both images in one; the colours of each change, and what belongs together stays so."""
    kind = load_architecture(find("architecture", "pix2pix"))
    shapes = {domain: (count, 32, 32) for domain, count in channels.items()}
    data = DataSpec((channels.get("A", 3), 32, 32), domains=("A", "B"), shapes=shapes, paired=True)
    ada = "ada:strength=1" if not channels else "ada:strength=1,blit=no,geometric=no"
    model = kind(kind.Config(width_g=2, width_d=2, layers_d=1, augment=ada), data)
    model.begin_step(moment(0, 0))
    seen = []
    model.D["B"].register_forward_pre_hook(lambda module, given: seen.append(given[0].detach()))
    grey = torch.rand(4, 1, 32, 32) * 2 - 1
    images = grey.expand(-1, data.shape_of("A")[0] + 3, -1, -1).clone()
    torch.manual_seed(0)
    model.discriminate("B", images)
    before = seen[0][:, : data.shape[0]]
    after = seen[0][:, data.shape[0] :]
    assert not torch.allclose(before, images[:, : data.shape[0]])
    if channels:
        assert not torch.isclose(after, images[:, 1:]).all(3).all(2).any(), "all three colours of each image change"
    else:
        assert torch.equal(before, after)


def test_what_a_matrix_leaves_in_place_is_not_looked_up(monkeypatch):
    """Looking up by the identity gives the images again, so those are handed on; the others are looked up as ever."""
    images = GOLDEN["input/images"].float()
    still = torch.eye(3).expand(len(images), 3, 3).clone()
    assert near(pipeline.resample(images, still), images, OUTPUT)
    assert torch.equal(pipeline.warp(images, still), images)
    still[1, 0, 0] = -1
    found = pipeline.warp(images, still)
    assert torch.equal(found[::2], images[::2])
    assert not near(found[1], images[1], 0.1)
    draws = {
        name: (torch.randn(len(images), n).abs().clamp(max=1), torch.zeros(len(images), 1))
        for name, (_, n) in ALL.items()
    }
    matrix = pipeline.geometry(draws, ONE, images.shape[2:], Groups())
    found = pipeline.resample(images, matrix)
    monkeypatch.setattr(pipeline, "_beyond", lambda places, side: side - 1)  # all that is mirrored, as on a GPU
    assert near(found, pipeline.resample(images, matrix), OUTPUT)
