"""`--recompute`: less is kept, and every weight, buffer and average is the same to the bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo.catalogue.catalogue import entries
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.networks import networks, weightless
from ganzoo.contract.recompute import blocks, recomputed
from ganzoo.loop.trainer import Trainer
from ganzoo.plan import memory
from ganzoo.testing.architecture.cases import cases


def every_case():
    for entry in entries("architecture"):
        model = load_architecture(entry)
        for case in cases(entry, model) if entry.distribution == "ganzoo" else ():
            if weightless(case.model, case.config, case.data).abilities.recompute:
                yield pytest.param(case, id=f"{entry.name}-{case}")


class Recomputing(Trainer):
    def __post_init__(self) -> None:
        self.recompute = True
        super().__post_init__()


@pytest.mark.parametrize("case", list(every_case()))
def test_weights_are_equal_to_the_bit(case):
    plain, again = case.trainer(Trainer), case.trainer(Recomputing)
    for _ in range(2):
        plain.step()
        again.step()
    tensors, counters = plain.state()
    others, same = again.state()
    assert same == counters
    assert [name for name, tensor in tensors.items() if not torch.equal(tensor, others[name])] == []


@pytest.mark.parametrize(("precision", "accumulate"), [("bf16", 1), ("fp32", 2)])
def test_in_bf16_and_in_parts(precision, accumulate):
    """Noise that is drawn in a block is that of its part of the batch."""
    entry = next(each for each in entries("architecture") if each.name == "stylegan")
    case = next(iter(cases(entry, load_architecture(entry))))
    plain, again = (case.trainer(kind, precision=precision, accumulate=accumulate) for kind in (Trainer, Recomputing))
    plain.step()
    again.step()
    others = again.state()[0]
    assert [name for name, tensor in plain.state()[0].items() if not torch.equal(tensor, others[name])] == []


class Block(nn.Module):
    def __init__(self, calls):
        super().__init__()
        self.calls = calls
        self.layers = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.ReLU())

    def forward(self, x):
        self.calls.append(torch.is_grad_enabled())
        return self.layers(x)


def test_blocks_are_computed_twice_and_their_statistics_move_once():
    calls: list[bool] = []
    network = nn.Sequential(*(Block(calls) for _ in range(3)))
    assert blocks(network) == list(network)
    assert blocks(nn.Sequential(nn.Linear(2, 2))) != list(network)
    recomputed([network])
    network(torch.randn(4, 8)).sum().backward()
    assert len(calls) == 6
    assert [block.layers[1].num_batches_tracked.item() for block in network] == [1, 1, 1]
    with torch.no_grad():
        network(torch.randn(4, 8))
    assert len(calls) == 9


def test_a_block_that_changes_its_input_is_refused():
    network = nn.Sequential(nn.Sequential(nn.LeakyReLU(inplace=True), nn.Linear(2, 2)))
    recomputed([network])
    with pytest.raises(ganzoo.GanzooError, match="in place, so it cannot be computed again; leave out --recompute"):
        network(torch.ones(1, 2) * 1)


def test_less_is_kept_and_it_is_offered_where_memory_is_short(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from ganzoo.plan.plan import plan_run
    from ganzoo.plan.spec import likely_spec

    options = {"batch_size": 64, "steps": 1, "device": "cpu", "resolution": 32}
    plan = plan_run("transgan", "digits:images=100", preset="small", **options)
    model = weightless(plan.model, plan.config, likely_spec(plan))
    whole, less = (memory.memory_needed(model, 64, recompute) for recompute in (False, True))
    assert less < 0.7 * whole
    assert all("forward" not in vars(each) for network in networks(model).values() for each in network.modules())
    monkeypatch.setattr(memory, "free_memory", lambda: (whole + less) // 2)
    with pytest.raises(ganzoo.UsageError, match="With --recompute it needs about"):
        memory.check_memory(model, plan.settings)
    again = plan_run("transgan", "digits:images=100", preset="small", recompute=True, **options)
    assert memory.check_memory(model, again.settings) == pytest.approx(less, rel=0.02)
    with pytest.raises(ganzoo.UsageError, match="cannot be computed again with --san; leave out --recompute"):
        ganzoo.train("dcgan", "digits:images=100", san=True, recompute=True, **options)
