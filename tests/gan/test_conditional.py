"""`--conditional`: an architecture that takes classes where it is asked to, and none where it is not."""

from __future__ import annotations

import pytest
import torch
from support.command_line import cli, refusal

import ganzoo
from ganzoo.api import ConditionalConfig, DataSpec, TwoPlayer, UsageError
from ganzoo.contract.options import options

EITHER = """
from dataclasses import dataclass

from torch import nn

from ganzoo.api import ArchitectureCard, ConditionalConfig, TwoPlayer, hookimpl


@dataclass(frozen=True)
class Config(ConditionalConfig):
    latent_dim: int = 6
    batch_size: int = 8
    resolution: int = 8


class Either(TwoPlayer):
    Config = Config
    modalities = ("image",)

    def __init__(self, config, data):
        super().__init__(config, data)
        classes = len(data.classes) if self.conditional else 0
        self.G, self.D = Generator(config.latent_dim, data.shape, classes), Discriminator(data.shape, classes)


class Generator(nn.Module):
    def __init__(self, z, shape, classes):
        super().__init__()
        self.shape, self.dense = shape, nn.Linear(z, shape[0] * shape[1] * shape[2])
        self.embed = nn.Embedding(classes, z) if classes else None

    def forward(self, z, label=None):
        return self.dense(z if label is None else z + self.embed(label)).unflatten(1, self.shape).tanh()


class Discriminator(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        size = shape[0] * shape[1] * shape[2]
        self.dense, self.embed = nn.Linear(size, 1), nn.Embedding(classes, size) if classes else None

    def forward(self, images, label=None):
        x = images.flatten(1)
        logits = self.dense(x).flatten()
        return logits if label is None else logits + (x * self.embed(label)).sum(1)


@hookimpl
def ganzoo_architectures():
    yield ArchitectureCard(
        name="either", title="Either", year=2000, paper="none", summary="For the tests.", resolutions=(8,),
        tasks={"unconditional", "conditional"}, licence="MIT", api=2, model=Either,
    )
"""


@pytest.fixture
def either(tmp_path, own_catalogue):
    file = tmp_path / "either.py"
    file.write_text(EITHER, encoding="utf-8")
    return str(file)


def test_it_is_one_option_with_the_default_no():
    option = options(ConditionalConfig)["conditional"]
    assert option.default is False
    assert "conditional" not in options(TwoPlayer.Config)


@pytest.mark.parametrize("conditional", [False, True])
def test_the_instance_says_what_it_takes(conditional):
    model = TwoPlayer(ConditionalConfig(conditional=conditional), DataSpec((3, 8, 8), ("a", "b")))
    assert model.abilities.labels == ({"class"} if conditional else set())
    assert model.conditional is conditional
    assert not TwoPlayer.abilities.labels


@pytest.mark.parametrize("data", [DataSpec((3, 8, 8)), DataSpec((3, 8, 8), label="numbers", label_names=("x",))])
def test_without_classes_it_is_refused(data):
    with pytest.raises(UsageError, match="--conditional takes data with a class for each image, and this data set"):
        TwoPlayer(ConditionalConfig(conditional=True), data)


def test_asked_for_it_makes_what_the_label_says(train, either, tmp_path):
    run = train(architecture=either, data="tiny", conditional=True)
    model = ganzoo.load(run.path)
    assert model.classes == ("even", "odd")
    assert not torch.equal(model.sample(2, label="even"), model.sample(2, label="odd"))
    assert "without a label" in refusal(cli("verdict", run.path))
    assert cli("sample", run.path, "-n", "2", "--label", "odd", "-o", "odd.png").exit_code == 0


def test_labels_that_are_not_used_are_said_in_one_line(either, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = cli("train", either, "tiny", "--steps", "1", "--samples", "4", "--device", "cpu", "--out", "run")
    assert shown.exit_code == 0, shown.output
    (line,) = [line for line in shown.output.splitlines() if "classes" in line]
    assert line == "The classes of tiny are not used; --conditional makes one model of all."
    assert ganzoo.load("run").classes == ()
    assert "trained without labels" in refusal(cli("sample", "run", "--label", "odd"))
    again = cli("train", either, "tiny", "--steps", "1", "--samples", "4", "--device", "cpu", "--conditional")
    assert "classes" not in again.output


def test_one_class_and_all_classes_at_once_are_refused(either, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "learns all labels in one model" in refusal(
        cli("train", either, "tiny", "--conditional", "--class", "odd", "--steps", "1")
    )


def test_each_task_is_checked(either):
    from ganzoo.testing import checks

    found = [check for check in checks(either) if check.name in ("card", "builds", "presets", "labels matter")]
    assert [str(check) for check in found if check.name == "labels matter"] == [
        "either conditional 3x8x8 labels matter"
    ]
    for check in found:
        check()
