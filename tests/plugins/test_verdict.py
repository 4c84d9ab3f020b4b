"""What a run's D thinks of real and generated items."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from click.testing import CliRunner

import ganzoo
from ganzoo import GanzooError, UsageError
from ganzoo.cli.app import app
from ganzoo.contract.randomness import stream
from ganzoo.runs.start import load_checkpoint
from ganzoo.training.facts import plan_of
from ganzoo.training.prepare import prepare


def test_verdicts_are_ds_of_the_newest_checkpoint(finished):
    """Computed again from the trainer that went on from there."""
    from ganzoo.loop.display import Display

    found = ganzoo.verdicts(finished, "tiny:images=30,seed=1", device="cpu")
    assert list(found) == ["training", "samples", "tiny:images=30,seed=1"]
    trainer = prepare(plan_of(finished), Display()).build()
    tensors, facts = load_checkpoint(finished)
    trainer.load_state(tensors, facts.counters)
    (part,) = trainer.loader.dataset.parts.values()
    with torch.no_grad():
        logits = trainer.model.D(part.gather(torch.arange(len(part))))
    assert found["training"] == pytest.approx(torch.sigmoid(logits).mean().item(), abs=1e-5)
    assert all(0 < value < 1 for value in found.values())
    assert len(set(found.values())) == 3


def test_batch_norm_goes_by_batches_of_one_kind_as_in_training(train):
    """What the log would say of the newest weights; running statistics, of real and generated batches, fit neither."""
    from ganzoo.loop.display import Display

    data = "tiny:images=64"
    run = train(architecture="dcgan", data=data, resolution=32, width_g=4, width_d=4, batch_size=16, steps=30, lr=2e-3)
    found = ganzoo.verdicts(run, samples=64, device="cpu")
    trainer = prepare(plan_of(run), Display()).build()
    tensors, facts = load_checkpoint(run)
    trainer.load_state(tensors, facts.counters)
    model, order = trainer.model.train(), torch.randperm(64, generator=stream(0, "evaluate"))
    (part,) = trainer.loader.dataset.parts.values()
    with torch.no_grad():
        real = torch.cat([torch.sigmoid(model.D(part.gather(some))) for some in order.split(16)])
        fakes = ganzoo.load(run.path).sample(64, seed=0).split(16)
        fake = torch.cat([torch.sigmoid(model.D(some)) for some in fakes])
    assert found["training"] == pytest.approx(real.mean().item(), abs=1e-5)
    assert found["samples"] == pytest.approx(fake.mean().item(), abs=1e-5)


def test_the_command(finished):
    done = CliRunner().invoke(app, ["verdict", str(finished.path), "--json", "--samples", "20"])
    assert json.loads(done.stdout) == ganzoo.verdicts(finished, samples=20)
    done = CliRunner().invoke(app, ["verdict", str(finished.path), "--on", "tiny"])
    assert (done.exit_code, [line.split()[0] for line in done.stdout.split("\n")[3:6]]) == (
        0,
        ["training", "samples", "tiny"],
    )


def test_images_are_judged_as_they_are(make_trainer):
    """Augmentation is for training: it would draw something else each time."""
    trainer = make_trainer(augment="diffaug")
    images = torch.rand(4, 3, 8, 8)
    assert torch.equal(trainer.model.realness(images), trainer.model.realness(images))


def test_what_cannot_be_judged(finished, train, tmp_path):
    with pytest.raises(UsageError, match="At least one item"):
        ganzoo.verdicts(finished, samples=0)
    with pytest.raises(UsageError, match="is not like tiny"):
        ganzoo.verdicts(finished, "points")
    labels = train(architecture="cgan", data="digits:images=64", resolution=16, channels=1, batch_size=8, steps=1)
    with pytest.raises(UsageError, match="The D of cgan judges no items by themselves"):
        ganzoo.verdicts(labels)
    bare = tmp_path / "bare"
    shutil.copytree(finished.path, bare, ignore=shutil.ignore_patterns("step-*"))
    with pytest.raises(GanzooError, match="no checkpoint"):
        ganzoo.verdicts(bare)
