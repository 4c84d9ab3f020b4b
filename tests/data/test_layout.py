"""What the folders of a source are taken for: classes, parts to train on and to hold out, strays."""

from __future__ import annotations

import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.command_line import as_json, cli

from ganzoo import data
from ganzoo.data.layout import layout_of
from ganzoo.errors import UsageError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of pictures: a path in it -> how many."""

    def make(name: str = "source", **counts: int) -> Path:
        for folder, count in counts.items():
            place = tmp_path / name / folder.replace("__", "/")
            place.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                seed = np.random.default_rng([number, *folder.encode()])
                Image.fromarray(seed.integers(0, 256, (8, 8, 3), np.uint8)).save(place / f"{number:02}.png")
        return tmp_path / name

    return make


def names(*folders: str, each: int = 3) -> list[str]:
    return [f"{folder}/{number}.png" if folder else f"{number}.png" for folder in folders for number in range(each)]


@pytest.mark.parametrize("test", ["test", "val", "valid", "validation", "Test"])
def test_parts_are_no_classes_and_what_is_held_out_is_not_trained_on(tree: Callable[..., Path], test: str) -> None:
    source = tree(train__cat=4, train__dog=3, **{f"{test}__cat": 2, f"{test}__dog": 1})
    info = data.add("split", source)
    assert (info.classes, info.images, info.held_out, info.trained) == (("cat", "dog"), 10, 3, 7)
    assert dict(info.class_counts) == {"cat": (4, 2), "dog": (3, 1)}
    dataset = data.prepare("split", resolution=(8, 8))
    assert dataset.parts["train"].labels.tolist() == [0] * 4 + [1] * 3
    assert dataset.held_out["test"].labels.tolist() == [0, 0, 1]
    train, held = (part.gather(torch.arange(len(part))) for part in (dataset.parts["train"], dataset.held_out["test"]))
    assert not (train[:, None] == held[None]).flatten(2).all(2).any()
    dry = cli("train", "gan", "split", "--dry-run", "--batch-size", "2", "--resolution", "8").output
    assert "cat 4, dog 3" in dry
    assert "cat 2, dog 1" in dry
    shown = as_json(cli("data", "show", "split", "--json"))
    assert (shown["held_out"], shown["class_counts"]["cat"]) == (3, {"train": 4, "test": 2})


def test_adding_says_what_the_folders_are_before_it_reads_them(tree: Callable[..., Path]) -> None:
    tree(train__cat=3, train__dog=3, val__cat=1, val__dog=1, **{"train__empty": 0})
    output = cli("data", "add", "said", tree()).output
    said = ["The images in train are trained on, those in val are held out.", "The folders cat, dog are classes.",
            "The folder empty has no images and is no class.", "Reading"]  # fmt: skip
    places = [output.index(sentence) for sentence in said]
    assert places == sorted(places)
    assert "cat (3), dog (3)" in output
    shown = cli("data", "show", "said").output
    assert all(sentence in shown for sentence in said[:3])


@pytest.mark.parametrize(
    ("parts", "trained", "held_out"),
    [("train=a,test=b+c", 3, 4), ("train=a+b,test=c", 5, 2), ("test=c", 5, 2), ("train=a", 3, 0)],
)
def test_parts_may_be_named(tree: Callable[..., Path], parts: str, trained: int, held_out: int) -> None:
    info = data.add("named", tree(a=3, b=2, c=2), parts=parts)
    assert (info.trained, info.held_out, info.classes) == (trained, held_out, ())
    assert info.skipped == 7 - trained - held_out
    assert len(data.prepare("named", resolution=(8, 8)).parts["train"]) == trained


def test_parts_none_takes_the_folders_for_classes(tree: Callable[..., Path]) -> None:
    info = data.add("none", tree(train=3, test=2), parts="none")
    assert (info.classes, info.held_out) == (("test", "train"), 0)


def test_parts_may_lie_within_the_classes() -> None:
    found = layout_of(names("cat/train", "cat/val", "dog/train", "dog/val"))
    assert found.labels.classes == ("cat", "dog")
    assert sorted(found.held_out) == [3, 4, 5, 9, 10, 11]
    assert found.labels.of == [0] * 6 + [1] * 6


@pytest.mark.parametrize(
    ("train", "apart"),
    [
        ("train", "dev"),
        ("train", "holdout"),
        ("training_set", "test_set"),
        ("train-images", "eval"),
        ("train", "2024"),
        ("trainset", "testset"),
        ("a-trainimages", "a-valdata"),
        ("tr", "te"),
    ],
)
def test_parts_under_other_names_are_asked_for(train: str, apart: str) -> None:
    """They became two classes, and what was to be held out was trained on."""
    folders = names(f"{train}/cat", f"{train}/dog", f"{apart}/cat", f"{apart}/dog")
    with pytest.raises(UsageError, match=f"--parts train={train},test={apart}, or --parts none"):
        layout_of([*folders, f"{train}/cat/more.png"])
    assert sorted(layout_of(folders, parts=f"train={train},test={apart}").held_out) == [6, 7, 8, 9, 10, 11]
    assert layout_of(folders, parts="none").labels.classes == tuple(sorted((train, apart)))


def test_folders_of_the_same_classes_are_asked_for_whatever_they_are_called() -> None:
    folders = names("prueba/cat", "prueba/dog", each=2) + names("entrenamiento/cat", "entrenamiento/dog", each=5)
    with pytest.raises(
        UsageError, match=r"hold the same folders, cat, dog: .* --parts train=entrenamiento,test=prueba"
    ):
        layout_of(folders)
    assert layout_of(folders, parts="none").labels.classes == ("entrenamiento", "prueba")
    assert layout_of(names("cat/close", "cat/far", "dog/close")).labels.classes == ("cat", "dog")


@pytest.mark.parametrize("between", ["", "_", "-"])
def test_domains_have_their_letter_at_the_end(between: str) -> None:
    found = layout_of(names(*(f"{part}{between}{letter}" for part in ("train", "val") for letter in "AB")))
    assert {name: len(members) for name, members in found.domains.items()} == {"A": 3, "B": 3, "testA": 3, "testB": 3}


def test_flat_folders_of_such_names_are_asked_for_too() -> None:
    with pytest.raises(UsageError, match="--parts train=train_images,test=test_images"):
        layout_of(names("train_images", "test_images"))


def test_a_train_beside_other_vehicles_is_a_class() -> None:
    assert layout_of(names("car", "plane", "train")).labels.classes == ("car", "plane", "train")


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (("train", "test", "unlabeled"), "beside train, unlabeled; say which is which: --parts train=train,test=test"),
        (("cat", "dog", "val"), "The folders val look like images to hold out, beside cat, dog"),
        (("test", "val"), "--parts train=FOLDER,test=test+val"),
    ],
)
def test_what_cannot_be_told_is_refused_with_what_to_type(folders: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError) as error:
        layout_of(names(*folders))
    assert said in str(error.value)
    assert "--parts none" in str(error.value)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("train=a,test=x", "--parts names a folder 'x', which is not there"),
        ("a,b", "--parts takes auto, none, or folders such as train=A,test=B+C, not 'a,b'"),
        ("test=a+b", "Nothing is left to train on"),
        ("train=a,test=b+a", "--parts both trains on 'a' and holds it out"),
    ],
)
def test_parts_that_cannot_be_are_refused(parts: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("+", r"\+")):
        layout_of(names("a", "b"), parts=parts)


@pytest.mark.parametrize(
    ("files", "empty", "said"),
    [
        ("cat/0.png cat/1.png", "dog", ["The folder dog has no images."]),
        ("set/cat/0.png set/cat/1.png", "set/dog", ["The folder dog has no images."]),
        ("set/images/0.png", "other", []),  # outside of what all lie in
        ("train/cat/0.png test/cat/1.png", "train/dog", ["The folder dog has no images."]),
        ("cat/0.png dog/0.png", "bird", ["The folder bird has no images and is no class."]),
        ("train/cat/0.png train/dog/0.png test/dog/1.png", "test/cat", []),
        ("cat/0.png cat/1.png", ".git", []),
    ],
)
def test_a_class_without_images_is_named(files: str, empty: str, said: list[str]) -> None:
    names = files.split()
    folders = {name.rpartition("/")[0] for name in names} | {name.partition("/")[0] for name in names} | {empty}
    assert [each for each in layout_of(names, folders).notes if "no images" in each] == said


def test_classes_that_look_alike_are_refused_or_said(tree: Callable[..., Path]) -> None:
    name = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
    typed, of_macos = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    with pytest.raises(UsageError, match=f"There are 2 classes called {typed}"):
        layout_of([f"{typed}/0.png", f"{of_macos}/0.png"])
    assert layout_of([f"{of_macos}/0.png", "bar/0.png"]).labels.classes == ("bar", typed)
    assert "The classes Cat and cat differ in capitals alone." in layout_of(["Cat/0.png", "cat/0.png"]).notes


def test_a_stray_picture_costs_no_labels_and_is_named(tree: Callable[..., Path]) -> None:
    source = tree(a=3, b=3)
    Image.new("RGB", (8, 8)).save(source / "preview.png")
    info = data.add("stray", source)
    assert info.classes == ("a", "b")
    assert info.skipped_files == ("preview.png lies beside the folders of the classes",)
    assert len(data.prepare("stray", resolution=(8, 8)).parts["train"]) == 6


def test_many_strays_leave_no_classes_and_that_is_said() -> None:
    mixed = [*names("a", "b"), *names("", each=5)]
    found = layout_of(mixed)
    assert (found.labels.classes, found.left_out) == ((), {})
    assert "No classes are taken: 5 images lie beside the folders a, b." in found.notes[0]
    asked = layout_of(mixed, classes="folders")
    assert (asked.labels.classes, len(asked.left_out)) == (("a", "b"), 5)
    assert layout_of(names("a", "b"), classes="none").labels.classes == ()


def test_labels_may_be_folders_or_none_or_a_file_of_such_a_name(
    tree: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tree(a=2, b=2)
    (source / "dataset.json").write_text(
        '{"labels": [["a/00.png", 7], ["a/01.png", 7], ["b/00.png", 8], ["b/01.png", 7]]}'
    )
    assert data.add("found", source).classes == ("7", "8")
    assert data.add("folders", source, labels="folders").classes == ("a", "b")
    assert data.add("without", source, labels="none").classes == ()
    monkeypatch.chdir(source.parent)
    Path("none").write_text("a/00.png,x\na/01.png,y\nb/00.png,x\nb/01.png,y\n")
    assert data.add("file", source, labels="./none").classes == ("x", "y")


def test_a_class_that_is_only_held_out_is_left_out_and_named() -> None:
    found = layout_of(names("train/a", "train/b", "val/a", "val/c"))
    assert found.labels.classes == ("a", "b")
    assert set(found.left_out.values()) == {"is of a class that is not trained on"}
    assert len(found.left_out) == 3


def test_archives_are_read_alike(tree: Callable[..., Path], tmp_path: Path) -> None:
    source = tree(train__cat=2, train__dog=2, val__cat=1, val__dog=1)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as file:
        for path in sorted(source.rglob("*.png")):
            file.write(path, path.relative_to(source))
    info = data.add("zipped", tmp_path / "set.zip")
    assert (info.classes, info.held_out) == (("cat", "dog"), 2)


def test_two_sources_and_pairs_hold_out_their_own_parts(tree: Callable[..., Path]) -> None:
    a, b = tree("a", train=4, val=2), tree("b", train=3, val=2)
    assert dict(data.add("apart", [a, b]).domains) == {"A": 4, "B": 3, "testA": 2, "testB": 2}
    assert dict(data.add("by-name", [a, b], pairs="names").domains) == {"A": 3, "B": 3, "testA": 2, "testB": 2}
    both = tree("both", A__train=3, A__val=2, B__train=3, B__val=2)
    assert dict(data.add("inner", both, pairs="names").domains) == {"A": 3, "B": 3, "testA": 2, "testB": 2}
    data.add("classes", both)
    chosen = data.prepare("classes", resolution=(8, 8), domains=("B", "A"))
    assert [*chosen.parts, *chosen.held_out] == ["B", "A", "testB", "testA"]


def test_another_choice_of_parts_is_another_data_set(tree: Callable[..., Path]) -> None:
    source = tree(a=3, b=3, c=2)
    first = data.add("once", source, parts="train=a+b,test=c")
    with pytest.raises(UsageError, match="another data set once already"):
        data.add("once", source, parts="train=a+c,test=b")
    assert data.add("once", source, parts="train=a+b,test=c").fingerprint == first.fingerprint
    Image.new("RGB", (8, 8)).save(source / "a" / "new.png")
    with pytest.raises(Exception, match=r"--parts train=a\+b,test=c"):
        data.prepare("once", resolution=(8, 8))


def test_held_out_pictures_without_classes_cost_no_labels(tree: Callable[..., Path]) -> None:
    """As ImageNet comes: train/CLASS/…, and val/ flat."""
    info = data.add("flat", tree(train__cat=6, train__dog=6, val=5))
    assert info.classes == ("cat", "dog")
    assert (info.images, info.skipped, info.held_out) == (12, 5, 0)


def test_a_zip_of_a_windows_program_has_folders(tree: Callable[..., Path], tmp_path: Path) -> None:
    root = tree(train__cat=3, train__dog=3, val__cat=2, val__dog=2)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in sorted(root.rglob("*.png")):
            archive.writestr("set\\" + "\\".join(file.relative_to(root).parts), file.read_bytes())
    info = data.add("windows", tmp_path / "set.zip")
    assert (info.classes, info.images, info.held_out) == (("cat", "dog"), 10, 4)


def test_domains_may_have_capitals() -> None:
    """They were four classes, and what was to be held out was trained on."""
    found = layout_of(names("TrainA", "TrainB", "TestA", "TestB"))
    assert {name: len(items) for name, items in found.domains.items()} == {"A": 3, "B": 3, "testA": 3, "testB": 3}
    with pytest.raises(UsageError, match="--parts train=traina,test=testa"):
        layout_of(names("traina", "testa"))


def test_classes_within_train_beside_other_folders_are_asked_for() -> None:
    """The classes were train and unlabeled, and what train held was forgotten."""
    files = names("train/cat", "train/dog", "extra")
    with pytest.raises(UsageError, match=r"train holds the folders cat, dog, .* beside extra; .* --parts train=train"):
        layout_of(files)
    assert layout_of(files, parts="train=train").labels.classes == ("cat", "dog")
    assert layout_of(files, parts="none").labels.classes == ("extra", "train")


def test_what_is_left_to_train_on_keeps_its_classes() -> None:
    found = layout_of(names("2020/cat", "2020/dog", "2021/cat", "2021/dog"), parts="test=2021")
    assert (found.labels.classes, len(found.held_out)) == (("cat", "dog"), 6)
    both = layout_of(names("fold1/cat", "fold1/dog", "fold2/cat", "fold2/dog"), parts="train=fold1+fold2")
    assert (both.labels.classes, len(both.held_out)) == (("cat", "dog"), 0)
    cats = layout_of(names("cat", "val/cat", "val/dog"), parts="test=val")
    assert (cats.names[0], cats.labels.classes) == ("cat/0.png", ())


@pytest.mark.parametrize("path", ["./set/{}", "/set/{}", "set//{}", "{}", "./././{}"])
def test_names_in_zips_are_made_plain(tree: Callable[..., Path], tmp_path: Path, path: str) -> None:
    """A dot before the names hid every picture, and a slash cost the labels."""
    root = tree(cat=2, dog=2)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in sorted(root.rglob("*.png")):
            archive.writestr(path.format("/".join(file.relative_to(root).parts)), file.read_bytes())
    info = data.add("zipped", tmp_path / "set.zip")
    assert (info.classes, info.images) == (("cat", "dog"), 4)


def test_a_domain_within_another_is_refused(tree: Callable[..., Path]) -> None:
    root = tree(cat=2, dog=2)
    with pytest.raises(UsageError, match="so its images would be in both domains"):
        data.add("nested", [root / "cat", root])


def test_pictures_and_their_masks_are_no_classes(tree: Callable[..., Path]) -> None:
    source = tree(images=3, masks=3)
    with pytest.raises(UsageError, match=r"images, masks look like pictures and what belongs to them.*--pairs names"):
        data.add("x", source)
    assert data.add("classes", source, labels="folders").classes == ("images", "masks")
    assert dict(data.add("pairs", source, pairs="names").domains) == {"images": 3, "masks": 3}
    assert layout_of(names("mask", "no_mask")).labels.classes == ("mask", "no_mask")
    for folders in (("VOC/JPEGImages", "VOC/SegmentationClass"), ("CelebA-HQ-img", "CelebAMask-HQ-mask-anno")):
        with pytest.raises(UsageError, match="look like pictures and what belongs to them"):
            layout_of(names(*folders))


def test_masks_beside_their_pictures_are_left_out(tree: Callable[..., Path]) -> None:
    files = ["a/1.png", "a/1_mask.png", "b/2.jpg", "b/2_mask_1.png", "b/alone_mask.png", "b/3.png"]
    found = layout_of(files)
    assert sorted(found.left_out) == [1, 3]
    assert found.notes[0] == "2 pictures are left out as masks, such as a/1_mask.png."
    assert (found.labels.classes, [found.labels.of[i] for i in (0, 2, 4, 5)]) == (("a", "b"), [0, 1, 1, 1])
    apart = layout_of(["train/1.png", "train/2.png", "test/3.png", "test/3_mask.png", "test/4.png", "test/4_mask.png"])
    assert sorted(apart.held_out - {*apart.left_out}) == [2, 4]
    source = tree(a=2)
    (source / "a" / "01_mask.png").write_bytes((source / "a" / "01.png").read_bytes())
    (source / "l.csv").write_text("00.png,x\n01.png,y\n")
    info = data.add("x", source, labels=source / "l.csv")
    assert (info.images, info.skipped_files) == (2, ("a/01_mask.png has the name of another picture, as its mask",))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["00000/1.png", "00000/999.png", "01000/1000.png"], True),
        (["0/img0001.jpg", "0/img0999.jpg", "1/img1000.jpg"], True),
        (["0123/5123.jpg", "0123/123.jpg", "0007/2007.jpg"], True),
        (["0/0001.jpg", "0/1999.jpg", "1/2000.jpg"], False),
        (["00000/a.png", "01000/b.png", "01000/c.png"], False),
        (["cat/0001.png", "dog/0002.png", "dog/0003.png"], False),
    ],
)
def test_folders_that_only_divide_the_files_are_pointed_out(files: list[str], said: bool) -> None:
    found = layout_of(files)
    assert any("only divide the files by number" in sentence for sentence in found.notes) == said
    assert len(found.labels.classes) == 2
    assert layout_of(files, classes="folders").notes[-1].endswith("are classes.")


def test_what_is_called_eval_is_advised_as_held_out() -> None:
    with pytest.raises(UsageError, match=r"--parts train=our485,test=eval15,"):
        layout_of(names("our485/low", "our485/high", "eval15/low", "eval15/high"))


def test_folders_held_out_that_are_others_make_no_classes_of_those_trained_on() -> None:
    """As the cities of Cityscapes; no picture is lost for the name of its folder."""
    files = names("train/aachen", "train/bochum", "val/lindau")
    found = layout_of(files)
    assert (found.labels.classes, len(found.held_out), found.left_out) == ((), 3, {})
    assert "No classes are taken: the folders held out, lindau, are others than" in found.notes[-1]
    found = layout_of(files, classes="folders")
    assert (found.labels.classes, len(found.left_out)) == (("aachen", "bochum"), 3)


def test_pictures_held_out_without_classes_leave_the_classes_of_those_trained_on() -> None:
    found = layout_of(names("train/n01/images", "train/n02/images", "val/images"))
    assert (found.labels.classes, len(found.left_out)) == (("n01", "n02"), 3)


@pytest.mark.parametrize(
    "folders",
    [
        ("leftImg8bit", "gtFine"),
        ("images", "segmentations"),
        ("images", "gtCoarse"),
        ("input", "target"),
        ("image_2", "semantic"),
    ],
)
@pytest.mark.parametrize("part", ["", "train/"])
def test_pictures_and_what_belongs_to_them_are_no_classes_whatever_lies_in_them(
    folders: tuple[str, str], part: str
) -> None:
    files = names(*(f"{folder}/{part}{city}" for folder in folders for city in ("aachen", "bochum")))
    files += names(*(f"{folder}/val/lindau" for folder in folders)) if part else []
    with pytest.raises(UsageError, match="look like pictures and what belongs to them"):
        layout_of(files)
    assert layout_of(files, classes="none").labels.classes == ()


def test_folders_of_thousands_are_no_classes() -> None:
    files = ["00000/00001.png", "00000/00999.png", "01000/01000.png", "69000/69999.png"]
    found = layout_of(files)
    assert found.labels.classes == ()
    assert found.notes == [
        "No classes are taken: the folders 00000, 01000, 69000 only divide the files by number. "
        "--labels folders takes them."
    ]
    assert layout_of(files, classes="folders").labels.classes == ("00000", "01000", "69000")


def test_several_pictures_of_each_name_are_said() -> None:
    kinds = ("color", "labelIds", "instanceIds")
    found = layout_of([f"a/{city}_{kind}.png" for city in ("1_2", "1_3", "2_2", "3_0") for kind in kinds])
    assert found.notes[0].startswith("There are 3 pictures of each name, ending in _color, _instanceIds, _labelIds;")
    for files in (["cat_1.png", "cat_2.png", "dog_1.png", "dog_2.png", "cow_1.png", "cow_2.png"], names("a", "b")):
        assert not any("of each name" in sentence for sentence in layout_of(files).notes)


@pytest.mark.parametrize("words", ["left right", "original resized", "x y", "blur sharp"])
def test_what_folders_are_taken_for_is_said_with_how_to_overrule_it(words: str) -> None:
    """Folders of any name became classes, and nothing said that they need not be."""
    found = layout_of(names(*words.split()))
    assert found.labels.classes == tuple(sorted(words.split()))
    assert found.notes[-1].endswith("type: --labels none, or where files of one name are pairs: --pairs names")
    others = layout_of([*names(words.split()[0]), f"{words.split()[1]}/another.png"])
    assert others.notes[-1].endswith("type: --labels none")
    assert layout_of(names(*words.split()), classes="folders").notes[-1].endswith("are classes.")


def test_versions_of_annotations_are_no_classes() -> None:
    """As Mapillary Vistas has them in each of its parts."""
    inner = ("v1.2/instances", "v1.2/labels", "v2.0/labels", "v2.0/panoptic")
    files = names(*(f"{part}/{folder}" for part in ("training", "validation") for folder in inner))
    found = layout_of(files)
    assert (found.labels.classes, len(found.held_out)) == ((), 12)
    assert "the folders v1.2, v2.0 are called as versions are. --labels folders takes them" in found.notes[-1]
    with pytest.raises(UsageError, match=r"images, v1.2, v2.0 look like pictures and what belongs to them"):
        layout_of([*files, *names("training/images", "validation/images")])
    assert layout_of(names("v1", "v2")).labels.classes == ("v1", "v2")


@pytest.mark.parametrize(
    "folders", ["fold_1 fold_2 fold_3", "part1 part2", "Batch-3 batch-4", "64x64 128x128", "32px 64px"]
)
def test_parts_and_sizes_of_a_set_are_no_classes(folders: str) -> None:
    """They became classes, which nobody can ask for."""
    found = layout_of(names(*folders.split()))
    assert (found.labels.classes, found.left_out) == ((), {})
    assert "are called as parts or sizes of a set are. --labels folders takes them" in found.notes[-1]
    assert layout_of(names(*folders.split()), classes="folders").labels.classes == tuple(sorted(folders.split()))
    assert layout_of(names(*folders.split(), "cat")).labels.classes, "beside another they may be names of things"


@pytest.mark.parametrize(
    "folders", ["100APPLE 101APPLE", "100_PANA 101_PANA", "2021-05-01 2021-06", "20210501 20210502"]
)
def test_what_a_camera_sorts_by_is_no_class(folders: str) -> None:
    found = layout_of(names(*folders.split()))
    assert found.labels.classes == ()
    assert "are called as a camera does, or by dates. --labels folders takes them" in found.notes[-1]


@pytest.mark.parametrize("folders", ["001_cats 002_dogs", "1990 2000 2010", "100_DOGS 101_CATS", "201312 201399"])
def test_numbers_before_names_and_years_may_be_classes(folders: str) -> None:
    assert layout_of(names(*folders.split())).labels.classes == tuple(folders.split())


@pytest.mark.parametrize("folders", ["labeled unlabeled", "cat dog Unlabelled", "a b no_labels"])
def test_a_folder_without_labels_is_no_class(folders: str) -> None:
    found = layout_of(names(*folders.split()))
    assert found.labels.classes == ()
    assert "says that its images have none. --labels folders takes it as a class" in found.notes[-1]


def test_a_part_within_a_folder_of_its_name_keeps_its_classes() -> None:
    """As archives that were packed twice come: the classes went without a word."""
    found = layout_of(names("training/training/n0", "training/training/n1", "validation/validation/n0"))
    assert (found.labels.classes, len(found.held_out), found.left_out) == (("n0", "n1"), 3, {})
    folders = names("seg_train/seg_train/sea", "seg_train/seg_train/ice", "seg_test/seg_test/sea")
    assert layout_of(folders, parts="train=seg_train,test=seg_test").labels.classes == ("ice", "sea")
    vehicles = layout_of(names("train/train", "train/bus", "test/train", "test/bus"))
    assert vehicles.labels.classes == ("bus", "train")


def test_parts_within_classes_beside_other_folders_are_asked_for() -> None:
    """As MVTec's: what is to be held out was trained on."""
    files = names("bottle/train/good", "bottle/test/broken", "bottle/ground_truth/broken", "cable/train", "cable/test")
    with pytest.raises(UsageError, match=r"beside ground_truth; .* --parts train=train,test=test, which leaves"):
        layout_of(files)
    found = layout_of(files, parts="train=train,test=test")
    assert (found.labels.classes, len(found.held_out), len(found.left_out)) == (("bottle", "cable"), 6, 3)
    assert layout_of(files, parts="none").labels.classes == ("bottle", "cable")


@pytest.mark.parametrize(
    "folders", [("train", "train_masks"), ("face", "face_mask"), ("A", "A_gt"), ("img1", "img1-label")]
)
def test_a_folder_and_another_of_its_masks_are_no_classes(folders: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="look like pictures and what belongs to them"):
        layout_of(names(*folders))
    assert layout_of(names("with_mask", "without_mask")).labels.classes == ("with_mask", "without_mask")
