"""Lazy penalties: when their turns come, what they weigh, at which rate D steps, and that a resumed run keeps count."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from ganzoo.api import UsageError, make_penalties
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.randomness import Share
from ganzoo.loop.trainer import Trainer
from ganzoo.testing.architecture.cases import cases
from ganzoo.testing.architecture.simulated_processes import Lockstep

# NVlabs/stylegan2-ada-pytorch@d72cc7d, training/training_loop.py: rate, interval -> rate and beta2 used, beta1 0.
REFERENCE = [
    (0.002, 4, 0.0016, 0.9919919678228657),
    (0.002, 16, 0.0018823529411764706, 0.9905854573074332),
    (0.0025, 16, 0.0023529411764705885, 0.9905854573074332),
]


def trainer_of(name: str, **options) -> Trainer:
    entry = find("architecture", name)
    case = next(iter(cases(entry, load_architecture(entry))))
    return dataclasses.replace(case, config=dataclasses.replace(case.config, **options)).trainer(Trainer)


def steps(trainer: Trainer, count: int) -> list[dict[str, float]]:
    return [{name: value.item() for name, value in trainer.step().items()} for _ in range(count)]


@pytest.mark.parametrize(("lr", "every", "lr_used", "beta2_used"), REFERENCE)
def test_d_steps_at_the_references_rate(lr, every, lr_used, beta2_used):
    given = make_penalties(f"r1:every={every}").adam(lr, (0.0, 0.99))
    assert given["lr"] == pytest.approx(lr_used, rel=1e-15)
    assert given["betas"] == (0.0, pytest.approx(beta2_used, rel=1e-15))
    (group,) = trainer_of("dcgan", penalty=f"r1:every={every}", lr=lr).optimizers["D"].param_groups
    assert group["lr"] == pytest.approx(lr_used)
    assert trainer_of("dcgan", penalty=f"r1:every={every}", lr=lr).optimizers["G"].param_groups[0]["lr"] == lr


@pytest.mark.parametrize(("name", "side"), [("dcgan", ""), ("cyclegan", " A")])
def test_at_turns_0_k_2k(name, side):
    seen = steps(trainer_of(name, penalty="r1:every=3+drift"), 7)
    assert ["loss/D/r1" in values for values in seen] == [True, False, False, True, False, False, True]
    assert all(f"loss/D/drift{side}" in values for values in seen)
    assert not any(f"loss/D/r1{side}" in values for values in seen if "loss/D/r1" not in values)


def test_turns_count_over_all_of_a_step():
    """Three turns of D in a step, a penalty at every second: turns 0 and 2, then 4."""
    trainer = trainer_of("gan", penalty="r1:every=2", n_critic=3)
    batches = iter(lambda: trainer.loader.draw(0, 4, Share()), None)
    names = []
    for step in (0, 1):
        progress = dataclasses.replace(trainer.progress, step=step)
        names.append([update.name for update in trainer.model.step(batches, progress) if update.names == ("D",)])
    assert names == [["", "r1", "", "", "r1"], ["", "", "r1", ""]]


def test_its_term_weighs_k_times():
    plain, lazy = (make_penalties(f"r1:gamma=2{more}") for more in ("", ",every=8"))
    images = torch.arange(6.0).view(3, 2)

    def critic(x):
        return (x * x).sum(1)

    (update,) = lazy.lazy_turn(16, "D", {"": (critic, images, images)})
    once = plain.terms(critic, images, images, critic(images), critic(images))["r1"]
    assert update.terms["r1"].item() == pytest.approx(8 * once.item())
    assert lazy.terms(critic, images, images, critic(images), critic(images)) == {}
    assert not list(lazy.lazy_turn(15, "D", {"": (critic, images, images)}))


def test_every_1_is_no_lazy_penalty():
    one, other = trainer_of("dcgan", penalty="r1:every=1"), trainer_of("dcgan", penalty="r1")
    assert steps(one, 3) == steps(other, 3)
    assert all(map(torch.equal, one.model.state_dict().values(), other.model.state_dict().values()))


def test_a_resumed_run_keeps_count():
    whole, stopped, resumed = (trainer_of("dcgan", penalty="r1:every=4") for _ in range(3))
    expected = steps(whole, 6)
    steps(stopped, 3)
    tensors, counters = stopped.state()
    resumed.load_state({name: value.clone() for name, value in tensors.items()}, counters)
    assert steps(resumed, 3) == expected[3:]


@pytest.mark.parametrize("how", ["parts", "processes"])
def test_parts_and_processes_take_lazy_turns_as_the_whole_batch(make_trainer, how):
    """The same batch in two: the lazy turns come at the same steps, with the same term for the same weights."""

    def trained(**options):
        trainer = make_trainer(penalty="r1:every=2", batch_size=8, **options)
        return [{name: float(value) for name, value in trainer.step().items()} for _ in range(5)]

    whole = trained()
    halves = [trained(accumulate=2)] if how == "parts" else Lockstep(2).run(lambda: trained())
    if how == "processes":  # each logs the mean of its own items; the session averages over processes
        halves = [[{name: (row[name] + other[name]) / 2 for name in row} for row, other in zip(*halves, strict=True)]]
    assert [name in row for row in whole for name in ["loss/D/r1"]] == [True, False, True, False, True]
    for row, expected in zip(halves[0], whole, strict=True):
        assert row.keys() == expected.keys()
        assert row == pytest.approx(expected, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("r1:every=16+r2:every=8", "r1:every=16 and r2:every=8; give all the same"),
        ("r1:every=0", "r1:every 0 is too small"),
        ("r1:every=often", "r1:every takes a whole number"),
    ],
)
def test_refusals(spec, message):
    with pytest.raises(UsageError, match=message):
        make_penalties(spec)


def test_two_lazy_penalties_are_one_turn():
    penalties = make_penalties("r1:every=4+r2:every=4+drift")
    assert penalties.lazy == ("r1", "r2")
    seen = steps(trainer_of("dcgan", penalty="r1:every=4+r2:every=4"), 1)[0]
    assert {"loss/D/r1+r2/r1", "loss/D/r1+r2/r2"} <= set(seen)


@pytest.mark.parametrize("spec", ["", "none"])
def test_a_default_penalty_can_be_left_out(spec: str) -> None:
    seen = steps(trainer_of("dcgan", penalty=spec), 1)[0]
    assert not [name for name in seen if "r1" in name]
