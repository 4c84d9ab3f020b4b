"""A set with a test part of its own is scored against that, and copies are looked for in what it was trained on."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from ganzoo.catalogue.modalities import make_modality
from ganzoo.contract.randomness import stream
from ganzoo.data import Dataset
from ganzoo.data.dataset import Packed, Part
from ganzoo.scoring.evaluator import Evaluator

TRAINED, KEPT = 30, 12


def dataset(test: bool) -> Dataset:
    count = TRAINED + KEPT
    pixels = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 8, 8, 1).contiguous()
    rows = Packed(pixels, torch.device("cpu"))
    parts = {"train": Part(rows, torch.arange(TRAINED), None)}
    held_out = {"test": Part(rows, torch.arange(TRAINED, count), None)} if test else {}
    return Dataset("grey", "in memory", "grey", (1, 8, 8), (), parts, held_out, rows, make_modality("image"))


def values(images: torch.Tensor) -> set[int]:
    return {round((image.item() + 1) * 127.5) for image in images[:, 0, 0, 0]}


def test_the_tests_part_is_held_out_and_all_else_looked_among():
    learn, held_out = dataset(test=True).split()
    assert values(learn.gather(torch.arange(len(learn)))) == {*range(TRAINED)}
    assert values(held_out.gather(torch.arange(len(held_out)))) == {*range(TRAINED, TRAINED + KEPT)}
    learn, held_out = dataset(test=False).split()
    assert (len(learn), len(held_out)) == (25, 5)


def test_real_images_are_of_the_test_part_and_the_protocol_says_so():
    def generate(z, asked):
        return z.reshape(len(z), 1, 8, 8)

    def noise(count, seed):
        return torch.randn(count, 64, generator=stream(seed, "noise"))

    model = SimpleNamespace(domains=(), labels=lambda *_: None, noise=noise, generate=generate)
    model.header = SimpleNamespace(data=SimpleNamespace(label=None))
    evidence, split = Evaluator(["swd"], samples=20).evidence(model, dataset(test=True))
    assert (split, len(evidence.real), len(evidence.fake)) == ("test", KEPT, KEPT), "no more than there are"
    assert values(evidence.real) == {*range(TRAINED, TRAINED + KEPT)}
    drawn = torch.cat(list(evidence.draw(300)))
    assert drawn.shape == (300, 1, 8, 8)
    assert torch.equal(drawn, torch.cat(list(evidence.draw(300))))
    assert Evaluator(["swd"], samples=20).evidence(model, dataset(test=False))[1] == "training"
