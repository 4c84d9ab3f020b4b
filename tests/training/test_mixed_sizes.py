"""Domains of different size: small A and larger B, from the folders to sheets, translations, scores and exports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.command_line import as_json, cli, refusal
from torch import Tensor
from torch.nn.functional import interpolate

import ganzoo
from ganzoo import data
from ganzoo.api import option

SMALL, LARGE = 32, 64
WORDS = ("--batch-size", "2", "--device", "cpu", "--samples", "4")


@pytest.fixture(autouse=True)
def conditions(own_catalogue: None, install: Callable[..., Path]) -> None:
    install("from tinyzoo.conditions import ganzoo_architectures")


@pytest.fixture
def doubles(tmp_path: Path) -> str:
    """Pairs: each pixel of A is four of B."""
    random = np.random.default_rng(0)
    for part, count in (("train", 6), ("test", 3)):
        for number in range(count):
            small = random.integers(0, 256, (SMALL, SMALL, 3), np.uint8)
            for domain, pixels in (("A", small), ("B", small.repeat(2, 0).repeat(2, 1))):
                folder = tmp_path / "set" / f"{part}{domain}"
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    data.remove("doubles") if "doubles" in {info.name for info in data.names()} else None
    result = cli("data", "add", "doubles", tmp_path / "set", "--pairs", "names")
    assert result.exit_code == 0, result.output
    assert "A 32×32, B 64×64, colour" in cli("data", "show", "doubles").output
    return "doubles"


def enlarged(images: Tensor) -> Tensor:
    return interpolate(images, scale_factor=2)


@pytest.mark.parametrize("unpack", [True, False])
def test_each_domain_keeps_its_size(doubles: str, unpack: bool) -> None:
    dataset = data.prepare(doubles, own_sizes=True, unpack=unpack)
    assert (dataset.shape, dict(dataset.shapes)) == ((3, 32, 32), {"A": (3, 32, 32), "B": (3, 64, 64)})
    assert dataset.on_the_fly != unpack
    for parts, some in ((dataset.parts, torch.arange(6)), (dataset.held_out, torch.arange(3))):
        a, b = (part.gather(some) for part in parts.values())
        assert torch.equal(enlarged(a), b)
    alike = data.prepare(doubles, resolution=(32, 32), unpack=unpack)
    assert {part.gather(torch.arange(1)).shape[2] for part in alike.parts.values()} == {32}
    turned = data.prepare(doubles, domains=("B", "A"), own_sizes=True, resolution=(32, 32), unpack=unpack)
    assert dict(turned.shapes) == {"B": (3, 32, 32), "A": (3, 16, 16)}


def test_crop_and_flip_reach_both(doubles: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinyzoo.conditions import TinyDoubles

    original, seen = TinyDoubles.step, list[tuple[int, ...]]()

    def step(model, batches, progress):
        def watched():
            for batch in batches:
                a, b = batch.domains.values()
                assert torch.equal(enlarged(a), b)
                seen.append((*a.shape, *b.shape))
                yield batch

        yield from original(model, watched(), progress)

    monkeypatch.setattr(TinyDoubles, "step", step)
    words = ("--steps", "8", "--resolution", "20x24", "--load-size", "32", "--flip", "--out", tmp_path / "run")
    result = cli("train", "tinydoubles", doubles, *WORDS, *words)
    assert result.exit_code == 0, result.output
    assert {*seen} == {(2, 3, 20, 24, 2, 3, 40, 48)}


def test_from_training_to_scores_translations_and_exports(doubles: str, tmp_path: Path) -> None:
    planned = as_json(cli("train", "tinydoubles", doubles, *WORDS, "--steps", "2", "--dry-run", "--json"))
    assert planned["shape"] == [3, 8, 8]
    words = ("--steps", "2", "--resolution", SMALL, "--out", tmp_path / "run", "--evaluate-every", "1")
    result = cli("train", "tinydoubles", doubles, *WORDS, *words, "--keep-best", "swd")
    assert result.exit_code == 0, result.output
    run = ganzoo.Run.open(tmp_path / "run")
    assert run.facts["data"]["shapes"] == {"A": [3, 32, 32], "B": [3, 64, 64]}
    for name in ("real-A.png", "real-B.png"):
        assert (run.path / name).exists()
    model = ganzoo.load(run.path)
    assert model.translate(torch.zeros(2, 3, 18, 21), "B").shape == (2, 3, 36, 42)  # padded, and cut off again
    picture = tmp_path / "set" / "testA" / "0.png"
    with Image.open(picture) as opened:
        opened.putalpha(200)
        opened.save(tmp_path / "clear.png")
    assert cli("translate", run.path, picture, tmp_path / "clear.png", "-o", tmp_path / "out").exit_code == 0
    for name in ("0.png", "clear.png"):
        with Image.open(tmp_path / "out" / name) as made:
            assert made.size == (LARGE, LARGE)
    rows = as_json(cli("evaluate", run.path, "--metric", "swd", "--metric", "translation", "--json"))["metrics"]
    scores = {row["name"]: row["value"] for row in rows}
    assert {"swd-64", "swd-doing-nothing", "translation", "translation-doing-nothing"} <= scores.keys()
    assert 0 < scores["translation-doing-nothing"] < scores["translation"]
    file = tmp_path / "B.pt2"
    done = cli("export", run.path, "--format", "torch-export", "--to", "B", "-o", file)
    assert done.exit_code == 0, done.output
    program = torch.export.load(file).module()
    assert program(torch.zeros(1, 3, 40, 44)).shape == (1, 3, 80, 88)
    assert cli("resume", run.path).exit_code == 0
    assert cli("extend", run.path, "--steps", "2").exit_code == 0


def test_others_say_what_to_type(doubles: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinyzoo.conditions import PairsConfig, TinyPairs

    @dataclass(frozen=True)
    class AnySize(PairsConfig):
        resolution: int | None = option(None, "height and width")  # type: ignore[assignment]

    monkeypatch.setattr(TinyPairs, "Config", AnySize)
    line = refusal(cli("train", "tinypairs", doubles, *WORDS, "--steps", "1"))
    assert line == (
        "Error: The domains of doubles differ in size (A 32×32, B 64×64), and tinypairs takes one; say which, such as "
        "--resolution 32."
    )
    for name, shapes in (("tinypairs", None), ("tinydoubles", {"A": [3, 32, 32], "B": [3, 64, 64]})):
        run = tmp_path / name
        result = cli("train", name, doubles, *WORDS, "--steps", "1", "--resolution", "32", "--out", run)
        assert result.exit_code == 0, result.output
        assert ganzoo.Run.open(run).facts["data"].get("shapes") == shapes
