"""Adding data sets: every kind of source, its labels and domains, and what is said when something is wrong with it."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo import data
from ganzoo.errors import GanzooError, UsageError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def png(value: int = 0, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, value if mode == "L" else (value, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def folder(path: Path, names: list[str], **options) -> Path:
    for number, name in enumerate(names):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(png(number, **options))
    return path


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def idx(path: Path, array: np.ndarray) -> Path:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def labels_of(name: str) -> list[str]:
    source = data.open_source(name)
    return [source.classes[source.label(index)] for index in range(len(source))]


# Containers


def test_folder_zip_and_tar_of_the_same_files_are_the_same_data(tmp_path):
    files = folder(tmp_path / "f", ["a.png", "b.png", "c.png"])
    for name in ("x.zip", "x.tar", "x.tar.gz", "x.tar.xz"):
        if name.endswith("zip"):
            zipped(tmp_path / name, {path.name: path.read_bytes() for path in files.iterdir()})
        else:
            with tarfile.open(tmp_path / name, f"w:{name.rpartition('.')[2].replace('tar', '')}") as tar:
                tar.add(files, arcname=".")
    names = ("f", "x.zip", "x.tar", "x.tar.gz", "x.tar.xz")
    infos = [data.add(f"s{number}", tmp_path / name) for number, name in enumerate(names)]
    assert len({info.fingerprint for info in infos}) == 1
    for info in infos:
        assert (info.images, info.channels, info.height, info.width, info.classes) == (3, 3, 8, 8, ())
        source = data.open_source(info.name)
        assert [source.read(index).getpixel((0, 0))[0] for index in range(3)] == [0, 1, 2]


def test_fingerprint_changes_with_bytes_names_and_labels(tmp_path):
    base = {"x/a.png": png(1), "y/b.png": png(2)}
    others = [
        {**base, "x/a.png": png(3)},
        {"x/c.png": png(1), "y/b.png": png(2)},
        {"x/a.png": png(1), "z/b.png": png(2)},
    ]
    sources = [zipped(tmp_path / f"{n}.zip", files) for n, files in enumerate([base, *others, base])]
    prints = [data.add(source.stem, source).fingerprint for source in sources]
    assert len(set(prints)) == 4
    assert prints[0] == prints[-1]


def test_members_that_point_elsewhere_are_read_in_place(tmp_path, home):
    (tmp_path / "deep").mkdir()
    source = zipped(tmp_path / "deep" / "x.zip", {"../../evil.png": png(1), "/abs.png": png(2)})
    assert data.add("evil", source).images == 2
    assert not list(tmp_path.rglob("*.png"))


def test_what_is_no_image_is_passed_over(tmp_path):
    source = zipped(
        tmp_path / "x.zip",
        {"f/a.png": png(), "f/b.PNG": png(), "__MACOSX/f/._a.png": b"?", "f/.x.png": b"?", "read.me": b"?"},
    )
    info = data.add("faces", source)
    assert (info.images, info.skipped) == (2, 0)


def test_mixed_sizes_colours_and_transparency_are_told(tmp_path):
    folder(tmp_path / "m", ["a.png"])
    folder(tmp_path / "m", ["b.png"], size=(4, 9), mode="L")
    info = data.add("mixed", tmp_path / "m")
    assert (info.height, info.width, info.channels) == (None, None, 3)
    assert data.add("grey", folder(tmp_path / "g", ["a.png", "b.png"], mode="L")).channels == 1


# Labels and domains


def test_folders_are_labels_but_a_wrapping_folder_is_not(tmp_path):
    names = [f"all/{label}/{n}.png" for label in ("10", "9", "1") for n in range(2)]
    info = data.add("numbers", folder(tmp_path / "d", names))
    assert info.classes == ("1", "9", "10")
    assert labels_of("numbers") == ["1", "1", "10", "10", "9", "9"]
    assert data.add("flat", folder(tmp_path / "e", ["faces/a.png", "faces/b.png"])).classes == ()
    assert data.add("partly", folder(tmp_path / "g", ["cat/a.png", "b.png"])).classes == ()


@pytest.mark.parametrize("heading", ["", "filename,label\n"])
def test_labels_from_csv(tmp_path, heading):
    source = folder(tmp_path / "f", ["faces/a.png", "faces/b.png", "faces/c.png"])
    (tmp_path / "l.csv").write_text(heading + "c.png,long hair\nfaces/a.png,short\nb.png,short\n")
    info = data.add("faces", source, labels=tmp_path / "l.csv")
    assert info.classes == ("long hair", "short")
    assert labels_of("faces") == ["short", "short", "long hair"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y.png,1\nz.png,3\n", "labels y.png, z.png, which the source does not have"),
        ("a.png,1\n", "has no label for b.png"),
        ("a.png\nb.png\n", "each line should read: filename,label"),
        ("", "each line should read: filename,label"),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path, text, message):
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        data.add("faces", folder(tmp_path / "f", ["a.png", "b.png"]), labels=tmp_path / "l.csv")
    with pytest.raises(UsageError, match="Cannot read the labels file"):
        data.add("faces", tmp_path / "f", labels=tmp_path / "none.csv")


def test_dataset_json_inside_a_zip_and_beside_it(tmp_path):
    listed = json.dumps({"labels": [["0/a.png", 6], ["0/b.png", 0]]})
    files = {"0/a.png": png(1), "0/b.png": png(2)}
    data.add("inside", zipped(tmp_path / "i.zip", {**files, "dataset.json": listed.encode()}))
    assert labels_of("inside") == ["6", "0"]
    (tmp_path / "l.json").write_text(listed)
    data.add("beside", zipped(tmp_path / "b.zip", files), labels=tmp_path / "l.json")
    assert labels_of("beside") == ["6", "0"]
    info = data.add("none", zipped(tmp_path / "n.zip", {**files, "dataset.json": b'{"labels": null}'}))
    assert info.classes == ()
    with pytest.raises(UsageError, match="is not a list of labels"):
        data.add("broken", zipped(tmp_path / "x.zip", {**files, "dataset.json": b"[1, 2]"}))


def test_domains_from_folders_and_from_two_sources(tmp_path):
    names = [f"s2w/{top}/{n}.png" for top in ("trainA", "trainB", "testA", "testB") for n in range(2)]
    info = data.add("seasons", folder(tmp_path / "d", [*names, "s2w/trainB/2.png"]))
    assert info.domains == {"A": 2, "B": 3, "testA": 2, "testB": 2}
    assert info.classes == ()
    assert list(data.open_source("seasons").domains["B"]) == [6, 7, 8]

    folder(tmp_path / "x", ["a.png", "b.png"])
    zipped(tmp_path / "y.zip", {"c.png": png(50), "d.png": png(51), "e.png": png(52)})
    info = data.add("pair", [tmp_path / "x", tmp_path / "y.zip"])
    assert info.domains == {"A": 2, "B": 3}
    source = data.open_source("pair")
    assert [source.read(index).getpixel((0, 0))[0] for index in source.domains["B"]] == [50, 51, 52]


# Arrays


def test_idx_folder_takes_the_training_images_and_their_labels(tmp_path):
    pixels = np.arange(3 * 5 * 4).reshape(3, 5, 4)
    idx(tmp_path / "train-images-idx3-ubyte.gz", pixels)
    idx(tmp_path / "train-labels-idx1-ubyte.gz", np.array([7, 0, 7]))
    idx(tmp_path / "t10k-images-idx3-ubyte", pixels[:2])
    info = data.add("digits", tmp_path)
    assert (info.images, info.channels, info.height, info.width, info.classes) == (3, 1, 5, 4, ("0", "7"))
    assert labels_of("digits") == ["7", "0", "7"]
    assert np.array_equal(np.asarray(data.open_source("digits").read(2)), pixels[2])
    assert data.info("digits").layout == (
        "Of this folder train-images-idx3-ubyte.gz is read, and not t10k-images-idx3-ubyte.",
    )
    assert data.add("test", tmp_path / "t10k-images-idx3-ubyte").images == 2
    assert data.add("plain", tmp_path, labels="none").classes == ()
    data.prepare("plain", resolution=(4, 4))


def test_damaged_idx_files_are_refused(tmp_path):
    path = idx(tmp_path / "images-idx3-ubyte", np.zeros((3, 4, 4)))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(GanzooError, match="should hold 48 bytes of data and holds 43"):
        data.add("digits", path)
    packed = idx(tmp_path / "x-images-idx3-ubyte.gz", np.random.default_rng(0).integers(0, 256, (9, 40, 40)))
    packed.write_bytes(packed.read_bytes()[:3000])
    with pytest.raises(GanzooError, match="damaged or cut short"):
        data.add("digits", packed)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW", "NHW", "fractions"])
def test_npz_layouts(tmp_path, layout):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), np.uint8)
    arrays = {
        "NHWC": {"images": pixels, "labels": np.array([[2], [3], [2], [2]])},
        "NCHW": {"x_train": pixels.transpose(0, 3, 1, 2), "y_train": np.array([2, 3, 2, 2])},
        "NHW": {"arr_0": pixels[..., 0], "arr_1": np.array([2, 3, 2, 2])},
        "fractions": {"images": pixels / 255, "labels": np.array([2, 3, 2, 2])},
    }[layout]
    np.savez_compressed(tmp_path / "d.npz", **arrays)
    info = data.add("arrays", tmp_path / "d.npz")
    assert (info.images, info.height, info.width, info.channels) == (4, 6, 5, 1 if layout == "NHW" else 3)
    assert labels_of("arrays") == ["2", "3", "2", "2"]
    expected = pixels[3, ..., 0] if layout == "NHW" else pixels[3]
    assert np.array_equal(np.asarray(data.open_source("arrays").read(3)), expected)


@pytest.mark.parametrize(
    ("train", "apart"),
    [(("x_train", "y_train"), ("x_test", "y_test")), (("train_images", "train_labels"), ("val_images", "val_labels"))],
)
def test_arrays_of_a_test_part_are_held_out_and_others_are_named(tmp_path, train, apart):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 6, 5), np.uint8)
    arrays = {train[0]: pixels, train[1]: np.arange(6) % 2, apart[0]: pixels[:2], apart[1]: np.array([1, 0])}
    np.savez(tmp_path / "d.npz", **arrays, extra=np.zeros(3))
    info = data.add("arrays", tmp_path / "d.npz")
    assert (info.images, info.held_out) == (8, 2)
    assert info.class_counts == {"0": (3, 1), "1": (3, 1)}
    assert f"Held out: {apart[0]}." in info.layout
    assert "Arrays that are not read: extra." in info.layout
    assert len(data.prepare("arrays", resolution=(6, 5)).parts["train"]) == 6
    whole = data.add("whole", tmp_path / "d.npz", parts="none")
    assert (whole.images, whole.held_out) == (8, 0)
    plain = data.add("plain", tmp_path / "d.npz", labels="none")
    assert plain.classes == ()
    data.prepare("plain", resolution=(6, 5))


def test_a_test_part_of_another_shape_or_without_labels(tmp_path):
    pixels = np.zeros((6, 6, 5), np.uint8)
    np.savez(tmp_path / "d.npz", x_train=pixels, x_test=pixels[:, :4])
    with pytest.raises(UsageError, match="of another shape than the others; give them as two files"):
        data.add("arrays", tmp_path / "d.npz")
    np.savez(tmp_path / "d.npz", x_train=pixels, y_train=np.arange(6) % 2, x_test=pixels)
    info = data.add("arrays", tmp_path / "d.npz")
    assert (info.images, info.held_out) == (6, 0)
    assert "Arrays that are not read: x_test." in info.layout


@pytest.mark.parametrize(
    ("shape", "labels", "found", "said"),
    [
        ((16, 16, 3, 9), None, (9, 16, 16), "is taken for 9 pictures [H, W, C], which its last axis counts"),
        ((16, 16, 3, 4), 4, (4, 16, 16), "is taken for 4 pictures [H, W, C], which its last axis counts"),
        ((16, 16, 1, 9), 9, (9, 16, 16), "is taken for 9 pictures [H, W, C], which its last axis counts"),
        ((12, 12, 9), None, (9, 12, 12), "for 9 pictures of 12×12, which its last axis counts; for 12 of 12×9 reshape"),
        ((12, 10, 9), 9, (9, 12, 10), "for 9 pictures of 12×10, which its last axis counts"),
        ((12, 10, 9), 12, (12, 10, 9), ""),
        (
            (12, 10, 9),
            None,
            (12, 10, 9),
            "for 12 pictures of 10×9, which its first axis counts; where its last one does",
        ),
        ((9, 12, 12), None, (9, 12, 12), ""),
        ((12, 12, 9, 1), None, (12, 12, 9), ""),
        ((12, 12, 3, 1), None, (12, 12, 3), ""),
    ],
)
def test_the_axis_that_counts_is_found_or_said(tmp_path, shape, labels, found, said):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    arrays = {} if labels is None else {"y": np.arange(labels)[:, None] % 2}
    np.savez(tmp_path / "d.npz", X=pixels, **arrays)
    info = data.add("arrays", tmp_path / "d.npz")
    assert (info.images, info.height, info.width) == found
    assert said in " ".join(info.layout)
    assert bool(said) == any("is taken for" in sentence for sentence in info.layout)
    first = pixels[..., 0] if found[0] == shape[-1] else pixels[0]
    assert np.array_equal(np.asarray(data.open_source("arrays").read(0)), first.squeeze())


def test_npz_of_vectors(tmp_path):
    points = np.random.default_rng(0).normal(size=(5, 2))
    np.savez(tmp_path / "p.npz", x=points)
    info = data.add("points", tmp_path / "p.npz")
    assert (info.images, info.channels, info.height) == (5, None, None)
    assert np.allclose(data.open_source("points").read(4), points[4])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.array([{}, {}], dtype=object)}, "without Python objects"),
        ({"pictures": np.zeros((2, 4, 4), np.uint8)}, "name the images one of"),
        ({"images": np.full((2, 4, 4), np.nan)}, "no finite numbers"),
        ({"images": np.zeros((2, 4, 4), np.complex64)}, "pixels of type complex64"),
        ({"images": np.zeros((2, 5, 5, 9), np.uint8)}, "has an array of shape"),
        ({"images": np.zeros((6, 8, 8, 2), np.uint8)}, r"array of shape \[6, 8, 8, 2\]; images are"),
        ({"images": np.zeros((6, 8, 8, 5), np.uint8)}, r"array of shape \[6, 8, 8, 5\]; images are"),
        ({"images": np.zeros((6, 2, 8, 8), np.uint8)}, r"array of shape \[6, 2, 8, 8\]; images are"),
        ({"images": np.array([[0.1, 0.2], [0.3, np.nan]])}, "row 1: there is no number"),
        ({"images": np.array([[0.1, 1e300], [0.3, 0.4]])}, "row 0: there is no number, or one too large"),
        ({"images": np.zeros((2, 4, 4), np.uint8), "labels": np.zeros(3)}, "one label for each"),
    ],
)
def test_npz_that_are_no_images_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(GanzooError, match=message):
        data.add("arrays", tmp_path / "d.npz")


# What cannot be used


def test_a_few_bad_images_are_skipped_and_named(tmp_path):
    source = folder(tmp_path / "f", [f"{n:02}.png" for n in range(40)])
    (source / "07.png").write_bytes(b"garbage")
    (source / "11.png").write_bytes(png(200, size=(99, 99))[:120])
    info = data.add("faces", source)
    assert (info.images, info.skipped) == (38, 2)
    assert [text.split()[0] for text in info.skipped_files] == ["07.png", "11.png"]
    opened = data.open_source("faces")
    assert [opened.read(index).getpixel((0, 0))[0] for index in (6, 7, 9, 10)] == [6, 8, 10, 12]


def test_many_bad_images_are_an_error_unless_allowed(tmp_path):
    source = folder(tmp_path / "f", [f"{n}/{n}.png" for n in range(6)])
    (source / "2/2.png").write_bytes(b"garbage")
    with pytest.raises(GanzooError, match=r"1 of 6 images .*2/2.png is not a readable image.*--skip-bad") as caught:
        data.add("faces", source)
    assert caught.value.exit_code == 1
    info = data.add("faces", source, skip_bad=True)
    assert (info.images, info.skipped) == (5, 1)
    assert labels_of("faces") == ["0", "1", "3", "4", "5"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.mkdir(), "There are no images in"),
        (lambda path: None, "There is nothing at"),
        (lambda path: path.write_text("hello"), "is of no kind that ganzoo knows"),
        (lambda path: path.write_bytes(png()), "is of no kind that ganzoo knows"),
        (lambda path: path.write_bytes(b""), "is of no kind that ganzoo knows"),
        (lambda path: folder(path, ["a.png"]), "only one image"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + b"x" * 99), "damaged or cut short"),
        (lambda path: path.write_bytes(gzip.compress(b"x" * 9999)[:20]), "damaged or cut short"),
    ],
)
def test_sources_that_are_no_data_set(tmp_path, make, message, home):
    make(tmp_path / "source")
    with pytest.raises(GanzooError, match=message) as caught:
        data.add("faces", tmp_path / "source")
    assert str(caught.value).count("\n") == 0
    assert not (home / "data").exists()


def test_what_is_packed_among_no_pictures_is_to_be_unpacked(tmp_path):
    zipped(tmp_path / "inner.zip", {"a.png": png(1), "b.png": png(2)})
    zipped(tmp_path / "outer.zip", {"inner.zip": (tmp_path / "inner.zip").read_bytes()})
    with pytest.raises(UsageError, match=r"no images in .*, only 1 .zip; .*; unpack what is packed"):
        data.add("outer", tmp_path / "outer.zip")
    np.save(tmp_path / "x.npy", np.zeros((3, 8, 8), np.uint8))
    (tmp_path / "x.npy.gz").write_bytes(gzip.compress((tmp_path / "x.npy").read_bytes()))
    with pytest.raises(GanzooError, match="of no kind that ganzoo knows; unpack it, or give"):
        data.add("packed", tmp_path / "x.npy.gz")


def test_all_images_bad_is_an_error_even_when_skipping(tmp_path):
    source = folder(tmp_path / "f", ["a.png", "b.png"])
    for path in source.iterdir():
        path.write_bytes(b"")
    with pytest.raises(GanzooError, match="2 of 2 images"):
        data.add("faces", source, skip_bad=True)


@pytest.mark.parametrize("name", ["", "a b", "../x", "a:b", "a/b", ".hidden", "x" * 65, "a=b"])
def test_names_that_cannot_be_used(tmp_path, name):
    with pytest.raises(UsageError, match="cannot name a data set"):
        data.add(name, folder(tmp_path / "f", ["a.png", "b.png"]))


def test_unknown_fit_and_schemes(tmp_path):
    with pytest.raises(UsageError, match="did you mean crop"):
        data.add("faces", tmp_path, fit="crap")
    with pytest.raises(UsageError, match="cannot fetch ftp://"):
        data.add("faces", "ftp://example.org/x.zip")
    with pytest.raises(UsageError, match="is no data set's address on the hub; write hf://datasets/USER/NAME"):
        data.add("faces", "hf://org/faces")


# Names


def test_a_name_is_added_once_and_removed(tmp_path, home):
    first, second = folder(tmp_path / "f", ["a.png", "b.png"]), folder(tmp_path / "g", ["c.png", "d.png"])
    info = data.add("faces", first)
    assert data.add("faces", first) == info == data.info("faces")
    with pytest.raises(UsageError, match="ganzoo data remove faces"):
        data.add("faces", second)
    with pytest.raises(UsageError, match="ganzoo data remove faces"):
        data.add("faces", first, fit="pad")
    data.remove("faces")
    assert data.add("faces", second).fingerprint != info.fingerprint
    data.remove("faces")
    assert first.exists()
    with pytest.raises(UsageError, match="No data set 'faces' was added"):
        data.remove("faces")


def test_a_removed_name_is_known_by_what_adds_it_again(tmp_path, home):
    source = folder(tmp_path / "my faces", ["a.png", "b.png"])
    data.add("faces", source, fit="pad")
    data.remove("faces")
    with pytest.raises(UsageError) as refused:
        data.info("faces")
    assert str(refused.value) == (
        "There is no data set 'faces' since it was removed; "
        f"to add it again type: ganzoo data add faces '{source}' --fit pad"
    )
    data.add("faces", source)
    data.remove("faces")
    (home / "removed.json").write_text("[")  # no harm is done by what cannot be read
    with pytest.raises(UsageError, match=r"There is no data set .faces.; "):
        data.info("faces")


def test_relative_paths_are_kept_absolute(tmp_path, monkeypatch):
    folder(tmp_path / "f", ["a.png", "b.png"])
    monkeypatch.chdir(tmp_path)
    assert data.add("faces", "f").source == str(tmp_path / "f")


def test_an_added_name_hides_the_plugins(tmp_path):
    plugin = data.info("anime")
    assert (plugin.kind, plugin.origin) == ("plugin", "drawn by ganzoo")
    mine = data.add("anime", folder(tmp_path / "faces", ["a.png", "b.png"]))
    assert data.info("anime") == mine
    assert (mine.kind, mine.origin) == ("user", "added by the user: faces")
    assert len(data.open_source("anime")) == 2
    assert [info.kind for info in data.names() if info.name == "anime"] == ["user"]
    with pytest.raises(UsageError, match="takes no options"):
        data.open_source("anime:images=5")
    data.remove("anime")
    assert data.info("anime") == plugin


def test_unknown_names_and_options_tell_the_nearest(tmp_path):
    data.add("my-faces", folder(tmp_path / "f", ["a.png", "b.png"]))
    with pytest.raises(UsageError, match="did you mean my-faces"):
        data.info("my-face")
    with pytest.raises(UsageError, match=r"did you mean anime.*ganzoo data add animee FOLDER"):
        data.open_source("animee")
    with pytest.raises(UsageError, match="did you mean images"):
        data.open_source("anime:image=5")


def test_a_data_set_that_does_not_work_is_listed_with_its_problem(home):
    (home / "data").mkdir(parents=True)
    (home / "data" / "broken.json").write_text("{")
    (home / "data" / "future.json").write_text('{"format": 99}')
    problems = {info.name: info.problem for info in data.names() if info.problem and info.kind == "user"}
    assert problems.keys() == {"broken", "future"}
    assert "written by another version" in problems["future"]


def test_a_source_that_changed_or_vanished_is_told(tmp_path):
    source = folder(tmp_path / "f", ["a.png", "b.png"])
    data.add("faces", source)
    (source / "c.png").write_bytes(png(9))
    with pytest.raises(GanzooError, match=r"has changed since it was added.*ganzoo data remove faces"):
        data.prepare("faces")
    shutil.rmtree(source)
    with pytest.raises(GanzooError, match="is no longer there"):
        data.prepare("faces")


def test_files_that_were_only_touched_are_taken_again_as_the_message_says(tmp_path):
    source = folder(tmp_path / "f", ["a.png", "b.png"])
    data.add("faces", source, labels="none")
    os.utime(source / "a.png", (0, 0))
    with pytest.raises(GanzooError, match=r"only copied or touched, type: ganzoo data add faces .* --labels none;"):
        data.prepare("faces")
    data.add("faces", source, labels="none")
    assert len(data.prepare("faces").parts["train"]) == 2


def test_progress_is_reported(tmp_path):
    seen: list[tuple[str, int, int]] = []
    data.add("faces", folder(tmp_path / "f", [f"{n}.png" for n in range(5)]), report=lambda *what: seen.append(what))
    assert seen == [("Reading", n, 5) for n in range(1, 6)]


def test_pixels_that_are_no_numbers_are_left_out(tmp_path):
    path = folder(tmp_path / "set", [f"{number}.png" for number in range(30)])
    Image.new("F", (8, 8), float("nan")).save(path / "fractions.tif")
    info = data.add("set", path)
    assert (info.images, info.skipped_files) == (30, ("fractions.tif has pixels that are no finite numbers",))


@pytest.mark.skipif(os.name == "nt", reason="links take rights there")
def test_links_to_folders_are_followed_but_not_in_circles(tmp_path):
    folder(tmp_path / "far" / "a", ["0.png", "1.png"])
    folder(tmp_path / "set" / "b", ["0.png", "1.png"])
    (tmp_path / "set" / "a").symlink_to(tmp_path / "far" / "a")
    (tmp_path / "set" / "up").symlink_to(tmp_path)
    (tmp_path / "set" / "root").symlink_to("/")
    (tmp_path / "far" / "a" / "back").symlink_to(tmp_path / "set")
    assert data.add("set", tmp_path / "set").classes == ("a", "b")
    assert labels_of("set") == ["a", "a", "b", "b"]


def test_one_source_is_not_two_domains(tmp_path):
    source = folder(tmp_path / "set", ["0.png", "1.png"])
    with pytest.raises(UsageError, match="is one source twice"):
        data.add("twice", [source, tmp_path / "set" / ".." / "set"])


def test_what_was_made_of_a_compressed_tar_goes_with_its_name(tmp_path, home):
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as file:
        file.add(folder(tmp_path / "set", ["0.png", "1.png"]), "set")
    data.add("set", tmp_path / "set.tar.gz")
    data.add("again", tmp_path / "set.tar.gz")
    data.remove("set")
    assert len(list((home / "downloads").iterdir())) == 1
    data.remove("again")
    assert list((home / "downloads").iterdir()) == []
    assert (tmp_path / "set.tar.gz").exists()


class Unflagged(zipfile.ZipInfo):
    """A member whose name is written in an encoding that the archive does not state."""

    encoding = "utf-8"

    def _encodeFilenameFlags(self):
        return self.filename.encode(self.encoding), self.flag_bits & ~0x800


def zip_in(path: Path, encoding: str, folders: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for number, name in enumerate(name for name in folders for _ in range(2)):
            member = Unflagged(f"{name}/{number}.png")
            member.encoding = encoding
            file.writestr(member, png(number))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "shift_jis", "cp437"])
def test_names_in_a_zip_that_do_not_say_their_encoding(tmp_path, encoding):
    folders = ["Käse", "Müsli"] if encoding == "cp437" else ["犬", "猫"]
    source = zip_in(tmp_path / "x.zip", encoding, folders)
    info = data.add("x", source)
    said = [sentence for sentence in info.layout if "--names shift_jis" in sentence]
    assert (list(info.classes) == folders, len(said)) == (encoding != "shift_jis", int(encoding != "utf-8"))
    named = data.add("named", source, names=encoding)
    assert (list(named.classes), len(named.layout)) == (folders, 2)
    assert labels_of("named") == [folders[0]] * 2 + [folders[1]] * 2
    data.remove("named")
    with pytest.raises(UsageError, match=f"--names {encoding}"):
        data.info("named")


def test_an_encoding_that_cannot_be(tmp_path):
    source = zip_in(tmp_path / "x.zip", "shift_jis", ["犬", "猫"])
    with pytest.raises(UsageError, match=r"names in .*x.zip are not in utf-8"):
        data.add("x", source, names="utf-8")
    with pytest.raises(UsageError, match="--names sjiss is no encoding that is known"):
        data.add("x", source, names="sjiss")
    with pytest.raises(UsageError, match=r"and .*f is none; leave it out"):
        data.add("x", folder(tmp_path / "f", ["a.png", "b.png"]), names="gbk")


@pytest.mark.parametrize("key", ["classes", "class_names", "label_names", "target_names"])
def test_arrays_and_keys_that_name_the_classes(tmp_path, key):
    pixels = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
    names = ["ash", "bee", "cat", "dog"]
    np.savez(tmp_path / "d.npz", images=pixels, labels=[2, 0, 2, 1], **{key: names})
    info = data.add("arrays", tmp_path / "d.npz")
    assert (list(info.classes), info.layout) == (names, ())
    assert labels_of("arrays") == ["cat", "ash", "cat", "bee"]
    np.savez(tmp_path / "e.npz", images=pixels, labels=[2, 0, 4, 1], **{key: names})
    with pytest.raises(UsageError, match="row 2: the label 4 is none of the 4 classes"):
        data.add("short", tmp_path / "e.npz")
    np.savez(tmp_path / "o.npz", images=pixels, labels=[2, 0, 2, 1], **{key: np.array(names, object)})
    info = data.add("objects", tmp_path / "o.npz")
    assert (info.classes, info.layout) == (("0", "1", "2"), (f"Arrays that are not read: {key}.",))
    listed = json.dumps({"labels": [["a.png", 1], ["b.png", 0]], key: ["x", "y"]})
    files = {"a.png": png(1), "b.png": png(2), "dataset.json": listed.encode()}
    data.add("json", zipped(tmp_path / "j.zip", files))
    assert labels_of("json") == ["y", "x"]


def test_keys_of_arrays_may_have_capitals(tmp_path):
    pixels = np.arange(6 * 64, dtype=np.uint8).reshape(6, 8, 8)
    np.savez(tmp_path / "d.npz", X_train=pixels[:4], Y_train=[0, 1, 0, 1], X_test=pixels[4:], Y_test=[1, 0], Other=[1])
    info = data.add("arrays", tmp_path / "d.npz")
    assert dict(info.class_counts) == {"0": (2, 1), "1": (2, 1)}
    assert info.layout == ("Held out: X_test.", "Arrays that are not read: Other.")
    assert labels_of("arrays") == ["0", "1", "0", "1", "1", "0"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.npy",
            np.zeros((5, 784), np.uint8),
            r"reshape it to \[5, 28, 28\], and if they are points, make them floats",
        ),
        ("a.npy", np.zeros((5, 9), np.int64)[:, :7], r"reshape it to \[N, H, W\]"),
        ("x.rar", b"Rar!" + bytes(99), "of no kind that ganzoo knows; unpack it, or give"),
        ("x.png", png(1), "x.png is one picture, and no data set; give"),
    ],
)
def test_what_is_nearly_a_data_set_is_told_what_to_do(tmp_path, name, content, message):
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        np.save(tmp_path / name, content)
    with pytest.raises(UsageError, match=message):
        data.add("x", tmp_path / name)


def test_a_folder_of_one_table_is_told_to_give_the_table(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match=r"only 1 \.csv; .*; give the file itself"):
        data.add("x", tmp_path / "f")


def test_a_tar_of_whole_paths_keeps_its_classes(tmp_path):
    """A slash before the names cost the labels."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    with tarfile.open(tmp_path / "set.tar", "w") as file:
        for name in ("/data/cat/0.png", "//data/cat/1.png", "/data/./dog/0.png", "/data/dog//1.png"):
            member = tarfile.TarInfo(name)
            member.size = len(picture.getvalue())
            file.addfile(member, io.BytesIO(picture.getvalue()))
        link = tarfile.TarInfo("/data/dog/2.png")
        link.type, link.linkname = tarfile.LNKTYPE, "/data/dog/1.png"
        file.addfile(link)
    info = data.add("whole", tmp_path / "set.tar")
    assert (info.classes, info.images) == (("cat", "dog"), 5)


@pytest.mark.parametrize(
    ("source", "said"),
    [("", "Give one source"), ("~nobody-of-that-name/x", "There is nothing at .*~nobody-of-that-name/x")],
)
def test_a_source_that_is_empty_or_of_an_unknown_home_is_refused(source, said):
    """The folder that one is in was read for "", as where a shell's variable is not set."""
    with pytest.raises(UsageError, match=said):
        data.add("x", source)


def test_labels_in_an_archive_are_pointed_at(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as file:
        for number in range(3):
            picture = io.BytesIO()
            Image.new("RGB", (8, 8), (number, 0, 0)).save(picture, "PNG")
            file.writestr(f"images/{number}.png", picture.getvalue())
        file.writestr("labels.csv", "0.png,cat")
    said = data.add("packed", tmp_path / "set.zip").layout[-1]
    assert said.startswith("No labels are taken. Where ")
    assert said.endswith("set.zip/labels.csv has them, unpack it and type: --labels labels.csv")


def test_the_training_images_are_found_whatever_stands_before_their_name(tmp_path):
    """As EMNIST's, whose test images were trained on."""
    for part, count in (("test", 2), ("train", 5)):
        header = bytes([0, 0, 8, 3]) + b"".join(side.to_bytes(4, "big") for side in (count, 8, 8))
        (tmp_path / f"emnist-letters-{part}-images-idx3-ubyte").write_bytes(header + bytes(range(64)) * count)
    assert data.add("letters", tmp_path).images == 5


def test_an_added_name_in_capitals_is_the_same_unless_something_else_is_called_so(tmp_path: Path) -> None:
    """`ganzoo train dcgan MNIST` fetched another MNIST than the one that the user had added."""
    folder(tmp_path / "one", ["a.png", "b.png"])
    data.add("Mnist", tmp_path / "one")
    assert data.info("MNIST").name == "Mnist"
    assert data.info("DIGITS").name == "digits"
    assert data.info("Digits:images=5").name == "digits:images=5"
    assert "MNIST" in data.info("mnist").origin, "a plugin's, by its very name"
