"""Many images are made and written without holding them all."""

from __future__ import annotations

import weakref

import pytest
import torch
from click.testing import CliRunner

import ganzoo
from ganzoo.cli.app import app
from ganzoo.model.model import BATCH, Model


def test_batches_are_the_sample(finished):
    model = ganzoo.load(finished.path)
    whole, pieces = model.sample(2 * BATCH + 3, seed=5), list(model.batches(2 * BATCH + 3, seed=5))
    assert [len(piece) for piece in pieces] == [BATCH, BATCH, 3]
    assert torch.equal(torch.cat(pieces), whole)
    with pytest.raises(ganzoo.UsageError, match="At least one image"):
        next(model.batches(0))


def test_a_folder_of_many_holds_a_few(finished, tmp_path, monkeypatch):
    """While the last batches are made, those between the first and them are gone."""
    alive, made = [], []
    generate = Model.generate

    def watched(self, *args):
        images = generate(self, *args)
        alive.append(sum(each() is not None for each in made))
        made.append(weakref.ref(images))
        return images

    monkeypatch.setattr(Model, "generate", watched)
    words = ["sample", str(finished.path), "-n", str(8 * BATCH), "-o", str(tmp_path / "many"), "--show"]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    assert len(alive) == 8
    assert max(alive) <= 2
    files = sorted((tmp_path / "many").iterdir())
    assert len(files) == 8 * BATCH
    assert files[0].name == "0001.png"
