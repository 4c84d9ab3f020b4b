"""A translator that learns from pairs, from `data add --pairs` to scores and translations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from support.command_line import as_json, cli, refusal

import ganzoo

CONDITIONS = "from tinyzoo.conditions import ganzoo_architectures"


@pytest.fixture(autouse=True)
def conditions(own_catalogue: None, install: Callable[..., Path]) -> None:
    install(CONDITIONS)


def facades(folder: Path, count: int = 8, held: int = 2, size: int = 12) -> Path:
    """Pictures A|B: B is A with its colours the other way round."""
    random = torch.Generator().manual_seed(0)
    for number in range(count + held):
        left = torch.randint(0, 256, (size, size, 3), dtype=torch.uint8, generator=random)
        file = folder / ("train" if number < count else "val") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(torch.cat([left, 255 - left], 1).numpy()).save(file)
    return folder


def train(name: str, data: str, out: Path, *words: str) -> ganzoo.Run:
    result = cli("train", name, data, "--device", "cpu", "--samples", "4", "--out", out, *words)
    assert result.exit_code == 0, result.output
    return ganzoo.Run.open(out)


def test_pairs_are_trained_on_scored_and_translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def step(model, batches, progress, original):
        def watched():
            for batch in batches:
                a, b = batch.domains.values()
                seen.append((a + b).abs().max().item())
                yield batch

        yield from original(model, watched(), progress)

    from tinyzoo.conditions import TinyPairs

    original = TinyPairs.step
    monkeypatch.setattr(TinyPairs, "step", lambda model, batches, progress: step(model, batches, progress, original))
    assert cli("data", "add", "facades-1", facades(tmp_path / "facades"), "--pairs", "halves").exit_code == 0
    run = train(
        "tinypairs", "facades-1", tmp_path / "run", "--steps", "30", "--load-size", "12", "--flip", "--ema", "0"
    )
    assert len(seen) >= 30
    assert max(seen) < 1e-5  # partners were cropped and mirrored alike: B is -A at each pixel
    first, *_, last = (row["distance"] for row in run.metrics() if "distance" in row)
    assert last < first
    assert run.facts["data"]["paired"] is True
    with Image.open(next((run.path / "samples").iterdir())) as sheet:
        assert sheet.width > sheet.height - 60 > 16 * (2 + 2 * 10) - 60  # real A and its B, two of each: no way back
    rows = as_json(cli("evaluate", run.path, "--metric", "translation", "--json"))
    scores = {row["name"]: row["value"] for row in rows["metrics"]}
    assert scores["translation"] < scores["translation-doing-nothing"]  # the held-out partners are the truth
    assert rows["metrics"][0]["protocol"]["split"] == "held out"
    assert "there-and-back" in refusal(cli("evaluate", run.path, "--metric", "there-and-back"))
    model = ganzoo.load(run.path)
    assert model.domains == ("B",)
    picture = tmp_path / "facades" / "val" / "8.png"
    assert cli("translate", run.path, picture, "--to", "B", "-o", tmp_path / "out").exit_code == 0
    with Image.open(tmp_path / "out" / "8.png") as made:
        assert made.size == (24, 12)
    assert "There is no domain 'A'" in refusal(cli("translate", run.path, picture, "--to", "A"))


def test_data_without_pairs_is_refused_in_a_sentence(tmp_path: Path) -> None:
    facades(tmp_path / "all")
    assert cli("data", "add", "apart-1", tmp_path / "all/train", tmp_path / "all/val", "--fit", "crop").exit_code == 0
    line = refusal(cli("train", "tinypairs", "apart-1", "--steps", "1", "--batch-size", "2"))
    assert line.startswith("Error: tinypairs learns from pairs, and apart-1 does not say which of its images belong")
    assert "--pairs" in line
