"""Runs and models that the code before contract 2 wrote: they open, sample, go on, and end as that code ended them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import ganzoo
from ganzoo.contract import renamed
from ganzoo.model.model import load
from ganzoo.runs import checkpoint
from ganzoo.runs.run import Run
from ganzoo.training.facts import plan_of

HERE = Path(__file__).parent.parent / "fixtures" / "contract1"
NAMES = ("dcgan", "cyclegan", "progan", "gan")


def alike(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Equal but for what another processor rounds otherwise: moments by the largest of their tensor, and biases before
    a norm, whose gradients are 0 but for rounding, by the steps that Adam takes whatever a gradient's size."""
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        largest = tensor.double().abs().max().item() if tensor.numel() else 0.0
        atol = 2e-3 if name.endswith("bias") else max(1e-5, 1e-3 * largest)
        torch.testing.assert_close(
            found[name], tensor, rtol=1e-3, atol=atol, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.fixture
def stopped(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of a run that was stopped in the middle."""
    return Path(shutil.copytree(HERE / f"{request.param}-stopped", tmp_path / "run"))


@pytest.mark.parametrize("stopped", NAMES, indirect=True)
def test_a_stopped_run_ends_as_the_code_that_began_it_ended_it(stopped: Path) -> None:
    name = json.loads((stopped / "run.json").read_text())["architecture"]
    run = ganzoo.resume(stopped)
    assert run.status == "finished"
    assert "average" not in run.facts["settings"]
    alike(checkpoint.load(run.model_file)[0], checkpoint.load(HERE / f"{name}-ended" / "model.safetensors")[0])
    before, after = (
        load_checkpoint_of(file) for file in (HERE / f"{name}-ended/checkpoint.safetensors", run.checkpoints()[-1])
    )
    alike(after, before)


def load_checkpoint_of(file: Path) -> dict[str, Tensor]:
    """A checkpoint's tensors by today's names."""
    return {renamed.tensor(name): value for name, value in checkpoint.load(file)[0].items()}


@pytest.mark.parametrize("name", NAMES)
def test_a_model_makes_what_it_made(name: str) -> None:
    model = load(HERE / f"{name}-ended" / "model.safetensors", "cpu")
    if model.domains:
        made = model.translate(torch.linspace(-1, 1, 3 * 32 * 32).reshape(1, 3, 32, 32), model.domains[0])
    else:
        made = model.sample(4, seed=5)
    wanted = load_file(HERE / f"{name}-ended" / "samples.safetensors")["made"]
    torch.testing.assert_close(made, wanted, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["dcgan", "cyclegan"])
def test_a_model_scores_what_it_scored(name: str) -> None:
    file = HERE / f"{name}-ended" / "model.safetensors"
    scores = ganzoo.evaluate(file, ["swd:patches=4,directions=8"], samples=8, device="cpu")
    wanted = json.loads((HERE / f"{name}-ended" / "swd.json").read_text())
    assert [score["name"] for score in scores] == [name for name, _ in wanted]
    assert [score["value"] for score in scores] == pytest.approx([value for _, value in wanted], rel=1e-3)


def test_a_finished_run_is_trained_further(tmp_path: Path) -> None:
    folder = shutil.copytree(HERE / "dcgan-finished", tmp_path / "run")
    run = ganzoo.extend(folder, steps=2, lr=1e-4)
    assert run.status == "finished"
    assert len(run.facts["stages"]) == 2
    assert checkpoint.read_facts(run.model_file)["step"] == 14


def test_its_options_have_todays_names(tmp_path: Path) -> None:
    plan = plan_of(Run.open(HERE / "dcgan-stopped"))
    assert plan.config.latent_dim == 8
    assert plan.settings.ema == 100
    assert plan.config.ema == 100
