"""Schedules by name: their values, their grammar, and that a run follows them."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from ganzoo.api import Progress, UsageError, make_penalties, option
from ganzoo.contract.options import build, options, parse_spec, values
from ganzoo.contract.schedules import Schedule, at, parse_schedule
from ganzoo.loop.ema import EMA
from ganzoo.loop.trainer import Trainer

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "schedules_by_name.json").read_text())


def moment(images: int, first: int = 0, last: int = 10**9) -> Progress:
    return Progress(0, images, 0, first, last)


@pytest.mark.parametrize("preset", GOLDEN["r3gan"])
@pytest.mark.parametrize("what", ["lr", "beta2", "gamma", "ema_halflife_images", "aug"])
def test_r3gans_burn_in(preset, what):
    case = GOLDEN["r3gan"][preset]
    rows, total = case["rows"], int(case["total_images"])
    schedule = parse_schedule(f"burn-in:{rows[0][what]}:{rows[-1][what]}:{total}")
    for row in rows:
        assert schedule.at(moment(row["images"])) == pytest.approx(
            row[what], rel=1e-6, abs=1e-12
        )  # 1 - cos cancels near 0
    if total == 20_000_000:
        assert parse_schedule(f"burn-in:{rows[0][what]}:{rows[-1][what]}").at(moment(5_000_000)) == schedule.at(
            moment(5_000_000)
        )


@pytest.mark.parametrize("preset", GOLDEN["r3gan"])
def test_r3gans_gamma_is_r1s_and_r2s_option(preset):
    case = GOLDEN["r3gan"][preset]
    first, last, total = case["rows"][0]["gamma"], case["rows"][-1]["gamma"], int(case["total_images"])
    penalties = make_penalties(
        f"r1:gamma=burn-in:{first}:{last}:{total}+r2:gamma=burn-in:{first}:{last}:{total},every=4"
    )
    assert penalties.lazy == ("r2",)
    for row in case["rows"]:
        penalties.begin_step(moment(row["images"]))
        assert [each.gamma for each in penalties.values()] == pytest.approx([row["gamma"]] * 2, rel=1e-6)


def test_a_ramp_of_the_half_life_is_linear_and_gives_the_references_beta(make_trainer):
    average = EMA(make_trainer().model, parse_schedule("linear:0:500000:5000000"))
    average.steps = 3
    for row in GOLDEN["transgan_ema"]:
        average.half_life = parse_schedule("linear:0:500000:5000000").at(moment(row["images"]))
        assert average.half_life == pytest.approx(row["half_life_images"])
        assert average.beta(row["dis_batch_total"]) == pytest.approx(row["beta"])
    rows = [row for row in GOLDEN["stylegan2_ema"] if row["preset"] == "auto 256, 1 GPU"]
    ramp = parse_schedule(f"linear:0:{rows[-1]['halflife_images']}:{round(20 * rows[-1]['halflife_images'])}")
    for row in rows:
        assert ramp.at(moment(row["images"])) == pytest.approx(row["halflife_images"])


def test_a_rate_that_falls_evenly_to_0():
    schedule = parse_schedule("linear:2e-4:0")
    for row in GOLDEN["sngan_linear"]:
        along_the_stage = moment(700 + 64 * row["step"], 700, 700 + 64 * 50_000)
        assert schedule.at(along_the_stage) == pytest.approx(row["lr"], abs=1e-18)


def test_a_span_of_images_is_that_of_the_run():
    schedule = parse_schedule("linear:1:3:100-300")
    assert [schedule.at(moment(n, first=250, last=260)) for n in (0, 100, 150, 300, 999)] == [1, 1, 1.5, 3, 3]
    assert parse_schedule("constant:0.3").at(moment(77)) == 0.3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sine:1:2", "no schedule 'sine'"),
        ("cosin:1:2", "did you mean cosine"),
        ("linear:1", "write linear:START:END"),
        ("linear:1:x", "write linear:START:END"),
        ("linear:1:2:many", "write linear:START:END"),
        ("linear:1:2:3:4", "write linear:START:END"),
        ("linear:1:inf", "write linear:START:END"),
        ("linear:1:2:30-30", "last number must be the larger"),
        ("constant:1:2", "constant:NUMBER"),
    ],
)
def test_a_mistake_gets_a_sentence(text, message):
    with pytest.raises(UsageError, match=message):
        parse_schedule(text)


@dataclass(frozen=True)
class Base:
    rate: float = option(0.5, "rate", low=0, high=1, scheduled=True)
    fixed: float = option(0.5, "fixed")


@dataclass(frozen=True)
class Derived(Base):
    rate: float = option(0.25, "rate", low=0, high=1)


@pytest.mark.parametrize("cls", [Base, Derived])
def test_an_option_takes_a_schedule_where_it_says_so(cls):
    made = build(cls, {"rate": "cosine:1:0"}, "it")
    assert isinstance(made.rate, Schedule)
    assert made.rate == 1.0  # a number for whoever knows nothing of schedules
    assert values(made) == {"rate": "cosine:1:0", "fixed": 0.5}
    assert build(cls, json.loads(json.dumps(values(made))), "it") == made
    assert copy.deepcopy(made).rate.text == "cosine:1:0"
    assert at(made, moment(50, 0, 100)).rate == 0.5
    assert at(made.__class__(), moment(50)) == made.__class__()
    with pytest.raises(UsageError, match="too large"):
        build(cls, {"rate": "cosine:0:2"}, "it")
    with pytest.raises(UsageError, match="--fixed takes a number"):
        build(cls, {"fixed": "cosine:0:2"}, "it")
    assert not options(cls)["fixed"].scheduled


def test_a_schedule_is_an_option_of_a_penalty_in_one_word():
    assert parse_spec("r1:gamma=burn-in:2:0.2,every=16") == ("r1", {"gamma": "burn-in:2:0.2", "every": "16"})
    assert parse_spec("ganzoo-yours:anime:images=100") == ("ganzoo-yours:anime", {"images": "100"})
    assert parse_spec("digits:folder=C:/x") == ("digits", {"folder": "C:/x"})


def scheduled(cls, **given):
    return {name: options(cls)[name].parse(value) for name, value in given.items()}


def test_the_optimizer_and_the_average_follow(make_trainer):
    from tinyzoo.model import TinyGAN

    given = scheduled(TinyGAN.Config, lr="linear:0.01:0:40", beta2="cosine:0.9:0.99:40")
    trainer = make_trainer(**given, half_life=parse_schedule("linear:0:1000:40"))
    seen = []
    for _ in range(7):
        trainer.step()
        (group,) = trainer.optimizers["D"].param_groups
        seen.append((group["lr"], group["betas"][1], trainer.ema.half_life))
    beta2 = parse_schedule("cosine:0.9:0.99:40")
    for step, (lr, beta, half_life) in enumerate(seen):
        done = min(1, 8 * step / 40)
        assert (lr, half_life) == pytest.approx((0.01 * (1 - done), 1000 * done))
        assert beta == beta2.at(moment(8 * step))
    assert values(trainer.config)["lr"] == "linear:0.01:0:40"


def test_a_schedule_goes_on_after_a_checkpoint(make_trainer):
    from tinyzoo.model import TinyGAN

    def made() -> Trainer:
        given = scheduled(TinyGAN.Config, lr="linear:0.01:0:40", beta2="cosine:0.9:0.99:40")
        return make_trainer(**given, half_life=parse_schedule("linear:0:1000:40"))

    through, first, second = made(), made(), made()
    for _ in range(4):
        through.step()
    for trainer in (first, second):
        trainer.step(), trainer.step()
        if trainer is first:
            second.load_state(*first.state())
    ours, theirs = second.state()[0], through.state()[0]
    assert [name for name in theirs if not torch.equal(ours[name], theirs[name])] == []


def test_a_constant_schedule_trains_as_the_number_does(make_trainer):
    from tinyzoo.model import TinyGAN

    plain, constant = make_trainer(lr=0.003), make_trainer(**scheduled(TinyGAN.Config, lr="constant:0.003"))
    for _ in range(3):
        plain.step(), constant.step()
    ours, theirs = constant.model.state_dict(), plain.model.state_dict()
    assert [name for name in theirs if not torch.equal(ours[name], theirs[name])] == []
