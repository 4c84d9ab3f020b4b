"""Lines of text: read, encoded and undone, drawn, scored; and a GAN of letters that learns from D."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganzoo_text.spelling import Spelling
from ganzoo_text.text import Text, TextOptions
from ganzoo_text.words import DETAILS, Words
from support.command_line import cli

import ganzoo
from ganzoo import data
from ganzoo.api import DataSpec
from ganzoo.catalogue.catalogue import find
from ganzoo.catalogue.components import load_architecture
from ganzoo.errors import GanzooError, UsageError
from ganzoo.model.model import load

GumbelGAN = load_architecture(find("architecture", "gumbelgan"))


def read(path, text, length=None):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Text.read_all(path, TextOptions(length))


def test_lines_of_a_file(tmp_path):
    rows, details = read(tmp_path / "names.txt", "\ufeff Anna\r\n\r\nBo\nZoe\u0301\n")
    assert details == {"alphabet": "ABZanoé", "length": 4}  # é in one letter, however it was written
    text = Text(Text.fit(rows, details))
    items = text.encode(torch.from_numpy(rows))
    assert items.shape == (3, 8, 4)
    assert bool((items.sum(1) == 1).all())
    assert text.lines(items) == ["Anna", "Bo", "Zoé"]
    assert torch.equal(text.decode(items).float(), torch.from_numpy(rows))


def test_what_comes_after_the_end_is_not_read():
    text = Text({"alphabet": "ab", "length": 4})
    assert text.lines(text.encode(torch.tensor([[1, 0, 2, 2], [0, 1, 1, 1]]))) == ["a", ""]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"\xff\xfea", "is no text in UTF-8; save it as lines of text in UTF-8"),
        ("a" * 65, "have up to 65 letters; say how many to take of each, such as --as text:length=64"),
        ("".join(map(chr, range(0x4E00, 0x4E00 + 256))), "256 different letters, more than 255"),
    ],
)
def test_what_is_refused(tmp_path, given, said):
    with pytest.raises(GanzooError, match=said):
        read(tmp_path / "names.txt", given, None if given != b"" and len(given) < 200 else 300)


def test_longer_lines_are_cut_where_a_length_is_said(tmp_path):
    rows, details = read(tmp_path / "long.txt", "a" * 100 + "\nab\n", 3)
    assert (details["length"], rows.tolist()) == (3, [[1, 1, 1], [1, 2, 0]])


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(GanzooError, match=r"gone.txt cannot be read \(No such file or directory\)"):
        Text.read_all(tmp_path / "gone.txt", TextOptions())


def test_an_empty_file_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "none.txt").write_text("\n \n")
    with pytest.raises(UsageError):
        data.add("none", tmp_path / "none.txt")


def test_words_are_the_same_everywhere_and_follow_their_rules():
    words = Words(images=400)
    drawn = [words.word(index) for index in range(400)]
    assert drawn[:4] == FIRST
    assert len(set(drawn)) > 380
    assert max(map(len, drawn)) <= 14
    text = Text(dict(DETAILS))
    rows = np.stack([words.read(index) for index in range(4)])
    assert text.lines(text.encode(torch.from_numpy(rows))) == FIRST


FIRST = ["meba", "koutroure", "kemi", "faisimu"]


class Known:
    """A data set of two parts, as the score asks for them."""

    def __init__(self, known, held_out):
        self.parts = known, held_out

    def split(self):
        return self.parts


class Part(list):
    def gather(self, indices):
        return torch.stack([self[int(index)] for index in indices])


def test_spelling_counts_groups_of_three_letters():
    text = Text({"alphabet": "abc", "length": 4})

    def part(*rows):
        return Part(text.encode(torch.tensor(rows)))

    dataset = Known(part([1, 2, 3, 0], [2, 3, 0, 0]), part([1, 2, 3, 0], [3, 3, 3, 3]))
    fake = torch.stack([*part([1, 2, 3, 0], [1, 2, 3, 0], [1, 3, 2, 0], [0, 0, 0, 0])])
    from ganzoo.api import Evidence

    scores = Spelling()(Evidence(fake, fake, dataset=dataset))
    assert scores == {"spelled": 0.5, "spelled-real": 0.5, "distinct": 0.75, "new": 0.5, "new-real": 0.5}


def test_lines_are_one_of_many_in_use_and_d_reaches_g_in_training():
    torch.manual_seed(0)
    model = GumbelGAN(GumbelGAN.Config(width=8, blocks=1), DataSpec((5, 6), modality="text"))
    z = torch.randn(3, model.latent_dim)
    soft = model.G(z)
    assert torch.allclose(soft.sum(1), torch.ones(3, 6))
    model.D(soft).sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.G.parameters())
    hard = model.eval().G(z)
    assert torch.equal(hard.sum(1), torch.ones(3, 6))
    assert torch.equal(hard.argmax(1), soft.argmax(1))  # the same draw, of which training sees a softmax


def test_letters_are_drawn_as_often_as_their_softmax_says():
    torch.manual_seed(0)
    model = GumbelGAN(GumbelGAN.Config(width=4, blocks=0), DataSpec((3, 1), modality="text")).eval()
    with torch.no_grad():
        for parameter in model.G.parameters():
            parameter.zero_()
        model.G.last.bias.copy_(torch.tensor([0.2, 0.3, 0.5]).log())
        drawn = model.G(torch.randn(20_000, model.latent_dim)).mean((0, 2))
    assert drawn.tolist() == pytest.approx([0.2, 0.3, 0.5], abs=0.015)


def test_from_a_file_of_names_to_new_ones(tmp_path):
    (tmp_path / "names.txt").write_text("anna\nhanna\njohanna\nhannes\n" * 8)
    assert cli("data", "add", "names", str(tmp_path / "names.txt")).exit_code == 0
    assert "up to 7 letters, of 7 different ones" in " ".join(cli("data", "show", "names").output.split())
    run = ganzoo.train("gumbelgan", "names", preset="small", steps=2, batch_size=8, device="cpu", out=tmp_path / "run")
    assert cli("sample", str(run.path), "-n", "5", "-o", str(tmp_path / "new.txt")).exit_code == 0
    assert len((tmp_path / "new.txt").read_text().splitlines()) == 5
    assert set((tmp_path / "new.txt").read_text()) <= set("ahnjoes\n")
    model = load(run.path, device="cpu")
    assert model.sample(2).shape == (2, 8, 7)
    assert model.modality.sheet(model.sample(8)).size[0] > 50
