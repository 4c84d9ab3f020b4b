"""The data sets that ganzoo draws: what can be relied on, and what would show if a drawing broke."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from typing import Any

import ganzoo_drawn
import numpy as np
import numpy.typing as npt
import pytest
from ganzoo_drawn.anime import Anime, AnimeEdges, AnimeFamilies, AnimeHair, palette, params, portrait
from ganzoo_drawn.digits import Digits
from ganzoo_drawn.points import Points

from ganzoo.errors import UsageError


def array(picture: object) -> npt.NDArray[np.int64]:
    return np.asarray(picture).astype(int)


def test_cards_name_classes_that_exist() -> None:
    found = {}
    for card in ganzoo_drawn.ganzoo_datasets():
        module, _, attribute = card.dataset.partition(":")
        found[card.name] = getattr(__import__(module, fromlist=[attribute]), attribute)
        assert card.origin == "drawn by ganzoo"
        assert card.api == 2
    assert found == {
        "anime": Anime, "anime-edges": AnimeEdges, "anime-families": AnimeFamilies,
        "anime-hair": AnimeHair, "digits": Digits, "points": Points,
    }  # fmt: skip


def test_catalogue_imports_nothing_heavy_and_drawing_no_torch() -> None:
    code = (
        "import sys, ganzoo_drawn; list(ganzoo_drawn.ganzoo_datasets())\n"
        "assert not {'numpy', 'PIL', 'torch'} & set(sys.modules), 'catalogue'\n"
        "from ganzoo_drawn.anime import Anime; Anime(images=1).read(0)\n"
        "from ganzoo_drawn.digits import Digits; from ganzoo_drawn.points import Points\n"
        "assert 'torch' not in sys.modules, 'drawing'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("source", [Anime, AnimeEdges, AnimeFamilies, AnimeHair, Digits, Points])
def test_same_options_give_the_same_items(source: Any) -> None:
    one, again, other = source(images=8), source(images=8), source(images=8, seed=1)
    assert len(one) == 8
    assert one.fingerprint == again.fingerprint != other.fingerprint
    backwards = [again.read(index) for index in reversed(range(8))][::-1]
    assert all((array(one.read(i)) == array(backwards[i])).all() for i in range(8))
    assert not np.array_equal(np.asarray(one.read(3)), np.asarray(other.read(3)))


@pytest.mark.parametrize("source", [Anime, Digits])
def test_a_picture_does_not_depend_on_how_many_there_are(source: Any) -> None:
    few, many = source(images=4), source(images=4000)
    assert (array(few.read(1)) == array(many.read(1))).all()


@pytest.mark.parametrize("side", [32, 64, 128, 256])
def test_a_face_is_drawn_at_the_size_asked(side: int) -> None:
    picture = Anime(images=4).read(2, (side, side))
    assert picture.size == (side, side)
    assert picture.mode == "RGB"


def test_a_larger_face_is_the_same_face_with_finer_detail() -> None:
    faces = Anime(images=6)
    for index in range(6):
        small, large = faces.read(index, (64, 64)), faces.read(index, (256, 256))
        assert np.abs(array(small) - array(large.reduce(4))).mean() < 10
        upscaled = small.resize((256, 256))
        edges = [np.abs(np.diff(array(picture), axis=1)).max(axis=2) for picture in (large, upscaled)]
        assert (edges[0] > 60).sum() > 1.5 * (edges[1] > 60).sum()


def test_default_and_oblong_sizes() -> None:
    assert Anime(images=1).read(0).size == (64, 64)
    assert Anime(images=1).read(0, (48, 80)).size == (80, 80)
    assert Digits(images=1).read(0).size == (28, 28)
    assert Digits(images=1).read(0).mode == "L"


def test_every_hair_colour_occurs_and_labels_tell_it() -> None:
    faces = Anime(images=2000)
    labels = [faces.label(index) for index in range(2000)]
    assert set(labels) == set(range(len(faces.classes)))
    assert min(labels.count(label) for label in set(labels)) > 120
    for index in range(200):
        hair = palette.pick_hair(faces.stream("hair", index))
        assert hair.family == faces.classes[faces.label(index)]


def test_few_hair_colours_are_drawn_on_the_same_faces() -> None:
    every, few = Anime(images=300), Anime(images=300, hair="brown+black")
    assert few.classes == ("black", "brown")
    assert {few.label(index) for index in range(300)} == {0, 1}
    assert few.fingerprint == Anime(images=300, hair="black+brown").fingerprint != every.fingerprint
    assert every.fingerprint == "anime-v1:300:0"  # packs of all colours are not drawn anew
    for index in range(30):
        hair = palette.pick_hair(few.stream("hair", index), few.classes)
        assert hair.family == few.classes[few.label(index)]
    same = next(i for i in range(300) if every.classes[every.label(i)] == few.classes[few.label(i)])
    assert np.array_equal(np.asarray(every.read(same, (16, 16))), np.asarray(few.read(same, (16, 16))))


def test_hair_is_seen_in_the_picture() -> None:
    """The top of the head is nearer to its own family's colours than the other way round."""
    faces = Anime(images=400)
    crowns: dict[str, list[npt.NDArray[Any]]] = {"black": [], "blond": [], "blue": [], "red": []}
    for index in range(400):
        name = faces.classes[faces.label(index)]
        if name in crowns and len(crowns[name]) < 6:
            crowns[name].append(np.median(array(faces.read(index))[8:18, 26:38].reshape(-1, 3), axis=0))
    means = {name: np.mean(colours, axis=0) for name, colours in crowns.items()}
    assert means["black"].mean() < 90 < means["blond"].mean()
    assert means["blue"][2] > means["blue"][0] + 40
    assert means["red"][0] > means["red"][2] + 40


CHOICES = {
    "back": params.BACKS,
    "fringe": params.FRINGES,
    "mouth": params.MOUTHS,
    "nose": params.NOSES,
    "brows": params.BROWS,
    "eyes": params.EYES,
    "sparkle": params.SPARKLES,
    "mark": params.MARKS,
    "clothes": params.CLOTHES,
    "backdrop": params.BACKDROPS,
    "glasses": params.GLASSES,
    "trinket": params.TRINKETS,
}


@pytest.mark.parametrize("field", CHOICES)
def test_every_choice_occurs_and_shows(field: str) -> None:
    """One face, from far enough that its clothes show, differs in picture for every value of every table."""
    faces = Anime(images=1)
    seen = {getattr(params.pick_face(faces.stream("face", index)), field) for index in range(1000)}
    names = [name for _, name in CHOICES[field]]
    assert seen == set(names)
    face, hair = params.pick_face(faces.stream("face", 0)), palette.pick_hair(faces.stream("hair", 0))
    plain = replace(face, scale=0.24, centre=(0.5, 0.5), eyes="open", glasses="", trinket="", mark="")

    def choice(name: str) -> dict[str, Any]:
        return {field: name}

    pictures = {portrait.draw(replace(plain, **choice(name)), hair, 64).tobytes() for name in names}
    assert len(pictures) == len(names)


def test_other_hair_changes_the_hair_and_nothing_else() -> None:
    faces = AnimeHair(images=20)
    for index in (0, 3, 12, 17):
        change = np.abs(array(faces.read(index)) - array(faces.partner(index))).max(axis=2)
        assert (change == 0).mean() > 0.2, "backdrop, skin, eyes and mouth stay"
        assert (change > 50).mean() > 0.15, "hair does not"


def test_domains_are_dark_and_bright_faces_of_different_people() -> None:
    faces = AnimeHair(images=40)
    assert {name: list(items) for name, items in faces.domains.items()} == {
        "A": list(range(20)),
        "B": list(range(20, 40)),
    }
    crown = [np.median(array(faces.read(index))[8:18, 26:38]) for index in range(40)]
    assert np.mean(crown[:20]) + 60 < np.mean(crown[20:])
    assert not (array(faces.partner(0)) == array(faces.read(20))).all()


def test_held_out_faces_are_other_faces() -> None:
    train, test = AnimeHair(images=10), AnimeHair(images=10, split="test")
    assert train.fingerprint != test.fingerprint
    seen = {train.read(index).tobytes() for index in range(10)} | {
        train.partner(index).tobytes() for index in range(10)
    }
    assert not seen & {test.read(index).tobytes() for index in range(10)}


def test_hair_in_pairs_is_of_the_same_face() -> None:
    faces = AnimeHair(images=12, paired=True)
    assert faces.fingerprint != AnimeHair(images=12).fingerprint
    for dark, bright in zip(*faces.domains.values(), strict=True):
        assert (array(faces.read(dark)) == array(faces.partner(bright))).all()
        assert (array(faces.read(bright)) == array(faces.partner(dark))).all()
    assert (array(faces.read(3)) == array(AnimeHair(images=12).read(3))).all()


def test_each_face_is_known_with_hair_of_every_family() -> None:
    faces = AnimeFamilies(images=12, hair="black+blond+pink")
    domains = {name: list(items) for name, items in faces.domains.items()}
    assert domains == {"black": [0, 3, 6, 9], "blond": [1, 4, 7, 10], "pink": [2, 5, 8, 11]}
    for index in (0, 4, 11):
        own = faces.read(index)
        assert own.tobytes() == faces.partner(index, None, ("black", "blond", "pink")[index % 3]).tobytes()
        others = [array(faces.partner(index, None, to)) for to in domains]
        assert all(np.abs(one - other).max() > 50 for one, other in pairwise(others))
        assert (np.ptp(others, axis=0).max(2) == 0).mean() > 0.2, "backdrop, skin, eyes and mouth stay"
    black, blond = (
        np.mean([array(faces.partner(index, None, to)).mean() for index in range(12)]) for to in domains if to != "pink"
    )
    assert black + 15 < blond


def test_edges_are_where_their_face_changes() -> None:
    pairs = AnimeEdges(images=12)
    domains = {name: list(items) for name, items in pairs.domains.items()}
    assert list(domains) == ["edges", "faces"]
    for edges, face in zip(*domains.values(), strict=True):
        assert pairs.read(face).tobytes() == pairs.partner(edges).tobytes()
        assert pairs.read(edges).tobytes() == pairs.partner(face).tobytes()
        drawn, colours = pairs.read(edges), array(pairs.read(face))
        assert (drawn.mode, drawn.size, colours.shape) == ("L", (64, 64), (64, 64, 3))
        dark = array(drawn) < 64
        assert 0.05 < dark.mean() < 0.6
        change = np.abs(np.diff(colours, axis=1)).max(2)
        assert change[dark[:, 1:]].mean() > 3 * change[~dark[:, 1:]].mean()


def test_digits_are_white_on_black_and_distinct() -> None:
    """A nearest mean over 28x28 pixels reads most of them: the classes are apart, and vary within."""
    digits = Digits(images=900)
    pixels = np.stack([np.asarray(digits.read(index), dtype=float).ravel() for index in range(900)])
    labels = np.array([digits.label(index) for index in range(900)])
    assert set(labels) == set(range(10))
    assert 0.08 < (pixels > 127).mean() < 0.25
    assert (pixels.max(axis=1) == 255).all()
    assert (pixels.reshape(-1, 28, 28)[:, [0, -1]] == 0).all(), "a margin, as in MNIST"
    means = np.stack([pixels[:600][labels[:600] == digit].mean(axis=0) for digit in range(10)])
    guesses = ((pixels[600:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (guesses == labels[600:]).mean() > 0.75
    assert len({row.tobytes() for row in pixels}) == 900


@pytest.mark.parametrize(("kind", "modes"), [("ring", 8), ("grid", 25)])
def test_points_lie_near_their_modes(kind: Any, modes: int) -> None:
    points = Points(images=2000, kind=kind)
    where = np.stack([points.read(index) for index in range(2000)])
    labels = np.array([points.label(index) for index in range(2000)])
    assert points.modes.shape == (modes, 2)
    assert points.classes == tuple(map(str, range(modes)))
    assert where.dtype == np.float32
    assert where.shape == (2000, 2)
    assert np.abs(where).max() < 1
    off = where - points.modes[labels]
    assert np.abs(off).max() < 5 * points.std
    assert off.std() == pytest.approx(points.std, rel=0.1)
    assert np.bincount(labels, minlength=modes).min() > 2000 / modes / 2


def test_a_point_that_is_changed_changes_nothing_else() -> None:
    points = Points(images=4)
    points.read(0)[:] = 9
    assert np.abs(points.read(0)).max() < 1


@pytest.mark.parametrize(
    ("source", "options"),
    [
        (Anime, {"images": 0}),
        (Anime, {"hair": "black+grey"}),
        (Anime, {"hair": "+"}),
        (AnimeHair, {"images": 0}),
        (AnimeHair, {"images": 7}),
        (AnimeHair, {"split": "validation"}),
        (AnimeEdges, {"images": 7}),
        (AnimeFamilies, {"images": 7}),
        (AnimeFamilies, {"hair": "black+grey"}),
        (AnimeFamilies, {"hair": "black+black"}),
        (AnimeFamilies, {"split": "validation"}),
        (AnimeEdges, {"split": "validation"}),
        (Digits, {"images": -1}),
        (Points, {"images": 0}),
        (Points, {"kind": "square"}),
        (Points, {"seed": -1}),
    ],
)
def test_nonsense_is_refused_with_advice(source: Any, options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"; (ask for|give) .*\."):
        source(**options)
