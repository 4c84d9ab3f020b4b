"""Conditional GAN: one model, choose the label; the label changes what G makes and what D thinks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from conftest import Items
from PIL import Image
from support.command_line import cli, refusal

import ganzoo
from ganzoo import data
from ganzoo.api import DataSpec, UsageError
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.contract.labels import find_label
from ganzoo.contract.randomness import seed_everything
from ganzoo.data.loader import Loader
from ganzoo.loop.trainer import Extent, Trainer
from ganzoo.model.model import Model
from ganzoo.runs.header import DataHeader, ModelHeader

CGAN = load_architecture(find("architecture", "cgan"))
TEN = tuple("0123456789")


def on_meta(*shape: int, classes: tuple[str, ...] = TEN, **options):
    with torch.device("meta"):
        return CGAN(CGAN.Config(**options), DataSpec(shape, classes))


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 48), (1, 8, 8), (3, 20, 40)])
def test_sizes(shape):
    model = on_meta(*shape)
    label = torch.zeros(3, dtype=torch.int64, device="meta")
    images = model.generate(torch.empty(3, 100, device="meta"), label)
    assert images.shape == (3, *shape)
    assert model.D(images, label).shape == (3,)


@pytest.mark.parametrize(
    ("shape", "classes", "words"),
    [
        ((3, 36, 36), TEN, "cgan cannot do 36×36"),
        ((3, 2, 2), TEN, "cgan cannot do 2×2"),
        ((3, 32, 40), (), "cgan needs a class for each image"),
        ((2,), TEN, "CGAN makes images"),
    ],
)
def test_data_it_cannot_do(shape, classes, words):
    with pytest.raises(UsageError, match=words):
        on_meta(*shape, classes=classes)


def test_unlabelled_data_is_refused_before_it_is_packed(tmp_path):
    for name in "abcd":
        Image.new("RGB", (32, 32)).save(tmp_path / f"{name}.png")
    data.add("unlabelled", tmp_path)
    try:
        line = refusal(cli("train", "cgan", "unlabelled", "--steps", "1", "--batch-size", "2"))
        assert "cgan needs a class for each image, and this data set has none" in line
    finally:
        data.remove("unlabelled")


def test_items_without_a_label_are_refused(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tinyzoo.data.Tiny.label", lambda self, index: -1 if index < 2 else index % 2)
    line = refusal(cli("train", "cgan", "tiny", "--resolution", "8", "--steps", "1", "--batch-size", "2"))
    assert "2 items of tiny have no label" in line
    assert not Path("runs").exists()


def labelled_trainer(**options) -> Trainer:
    """Dark images with the label "dark", bright ones with "bright", and nothing else that tells them apart."""
    random = torch.Generator().manual_seed(0)
    label = torch.arange(64) % 2
    items = torch.rand(64, 1, 8, 8, generator=random) * 0.4 - 0.2 + (1.2 * label.view(-1, 1, 1, 1) - 0.6)
    seed_everything(0, "weights")
    config = CGAN.Config(latent_dim=4, embedding=4, width_g=8, width_d=8, lr=1e-3, **options)
    model = CGAN(config, DataSpec((1, 8, 8), ("dark", "bright")))
    return Trainer(model, Loader(Items(items, label), 0), batch_size=16, half_life=200, extent=Extent(0, 10_000))


def test_both_players_are_told_the_label():
    model = labelled_trainer().model.eval()
    z, images = torch.randn(4, 4), torch.rand(4, 1, 8, 8)
    zero, one = torch.zeros(4, dtype=torch.int64), torch.ones(4, dtype=torch.int64)
    assert not torch.allclose(model.G(z, zero), model.G(z, one))
    assert not torch.allclose(model.D(images, zero), model.D(images, one))


def test_real_images_come_with_their_labels_and_fakes_with_theirs():
    trainer = labelled_trainer()
    judged, made = [], []
    trainer.model.D.register_forward_pre_hook(lambda _, given: judged.append(given))
    trainer.model.G.register_forward_pre_hook(lambda _, given: made.append(given[1]))
    trainer.step()
    (real, real_label), (_, fake_label), (_, again) = judged
    assert torch.equal(real_label, (real.flatten(1).mean(1) > 0).long())
    assert torch.equal(fake_label, made[0])
    assert torch.equal(again, made[0])


def test_labels_matter():
    """After 100 steps what is asked for comes, whatever the noise; every parameter, the embeddings' too, has moved."""
    trainer = labelled_trainer()
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    for _ in range(100):
        trainer.step()
    assert [name for name, value in trainer.model.named_parameters() if torch.equal(value, before[name])] == []
    model = Model(trainer.model, ModelHeader("cgan", DataHeader.of(trainer.model.data, "it", "here"), {}))
    dark, bright = (model.sample(32, seed=5, label=label) for label in ("dark", 1))
    assert dark.mean() < -0.3
    assert bright.mean() > 0.3
    assert (dark.flatten(1).mean(1) < bright.flatten(1).mean(1)).all()


@pytest.mark.parametrize("label", ["10", 10, -1, "-1"])
def test_a_number_out_of_range_is_answered_with_the_labels(label):
    with pytest.raises(UsageError) as refused:
        find_label(TEN, label)
    assert str(refused.value) == f"There is no label {label!r}; known: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9."


@pytest.mark.parametrize(("label", "place"), [("3", 0), ("#0", 0), ("#1", 1), (1, 1), (3, 0)])
def test_a_number_is_a_name_and_a_position_only_where_it_is_said(label, place):
    assert find_label(("3", "7"), label) == place


def test_a_position_without_its_mark_is_refused_with_how_to_write_it():
    with pytest.raises(UsageError) as refused:
        find_label(("cat", "dog"), "1")
    assert str(refused.value) == "There is no label '1'; known: cat, dog. The position 1 is written '#1', which is dog."


def test_choosing_a_label_on_the_command_line(train):
    run = train(architecture="cgan", data="tiny", steps=1, resolution=8, width_g=2, width_d=2, batch_size=4)
    result = cli("sample", run.path, "-n", "4", "--label", "odd", "-o", "odd.png")
    assert result.exit_code == 0, result.output
    for label, line in (("7", "There is no label '7'; known: even, odd."), ("odds", "did you mean odd?")):
        assert line in refusal(cli("sample", run.path, "--label", label))
    assert ganzoo.load(run.path).classes == ("even", "odd")
