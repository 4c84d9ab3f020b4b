"""Classes written for contract 1 work untouched."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

import ganzoo.api
from ganzoo.api import DataSpec, TwoPlayer, TwoPlayerConfig, option
from ganzoo.cli.app import app
from ganzoo.contract.settings import Settings
from ganzoo.plan.options import apply_options
from ganzoo.plan.plan import make_plan


@dataclass(frozen=True)
class OldConfig(TwoPlayerConfig):
    latents: int = option(9, "length of the noise vector z", low=1)
    average: int = option(50, "half-life of the averaged generator, in images")


class Old(TwoPlayer):
    Config = OldConfig

    def __init__(self, config: OldConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.latents = config.latents
        self.G, self.D = nn.Linear(self.latents, 2), nn.Linear(2, 1)

    def verdict(self, items: Tensor) -> Tensor:
        return super().verdict(items) + 1

    def judge(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        return 2 * super().judge(images, label)

    def stage(self, progress: object) -> int:
        return 5


def test_old_options_of_a_config_are_todays() -> None:
    config = OldConfig(latents=3)
    assert (config.latent_dim, config.latents, config.ema, config.average) == (3, 3, 50, 50)
    assert replace(config, latents=4).latent_dim == 4


def test_what_overrides_by_old_names_is_found_by_todays() -> None:
    model, items = Old(OldConfig(latents=3), DataSpec((2,))), torch.ones(4, 2)
    assert model.latent_dim == model.latents == 3
    assert model.noise(2).shape == (2, 3)
    assert torch.equal(model.discriminate(items), 2 * model.D(items))
    assert torch.equal(model.realness(items), model.D(items).sigmoid().flatten() + 1)
    assert model.phase(model) == 5


@dataclass(frozen=True)
class BareConfig:
    latents: int = option(6, "length of the noise vector z", low=1)
    average: int = option(0, "half-life of the averaged generator, in images")


def test_a_config_of_its_own_keeps_its_names() -> None:
    config, settings = apply_options("bare", BareConfig(), Settings(), {"ema": 7, "latent_dim": 5})
    assert (config.average, config.latents, settings.ema) == (7, 5, 7)
    config, settings = apply_options("bare", BareConfig(), Settings(), {"average": 8, "latents": 4})
    assert (config.average, config.latents, settings.ema) == (8, 4, 8)


def test_old_options_are_taken() -> None:
    plan = make_plan("gan", "points", {"average": 5, "latents": 3})
    assert (plan.settings.ema, plan.config.latent_dim) == (5, 3)


def test_the_command_line_says_the_new_name() -> None:
    found = CliRunner().invoke(app, ["train", "gan", "points:images=64", "--average", "5", "--latents=3", "--dry-run"])
    assert found.exit_code == 0, found.output
    assert "--average is called --ema now." in found.output
    assert "--latents is called --latent-dim now." in found.output


def test_recipes_and_files_may_say_old_names(tmp_path, monkeypatch) -> None:
    """Each with one line that says the new name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.toml").write_text(
        'architecture = "gan"\ndata = "points:images=64"\n[options]\nlatents = 3\nsteps = 2\naverage = 5\n'
    )
    found = CliRunner().invoke(app, ["train", "--recipe", "old.toml", "--device", "cpu"])
    assert found.exit_code == 0, found.output
    assert found.output.count("average is called ema now.") == 1
    assert found.output.count("latents is called latent_dim now.") == 1


def test_old_names_of_the_api() -> None:
    assert ganzoo.api.Card is ganzoo.api.ArchitectureCard
    with pytest.raises(AttributeError):
        _ = ganzoo.api.Hologram
