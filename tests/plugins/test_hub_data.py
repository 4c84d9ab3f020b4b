"""Data sets of the hub, by its own library reading folders on this machine that are laid out as they are there."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from ganzoo_hub import data_sets
from PIL import Image
from support.command_line import cli, refusal

from ganzoo import data
from ganzoo.errors import GanzooError, UsageError

datasets = pytest.importorskip("datasets", reason="the extra datasets is not installed")
COMMIT = "5" * 40
CATS = "hf://datasets/somebody/cats"


def png(value: int) -> dict:
    file = io.BytesIO()
    Image.fromarray(np.full((32, 32, 3), value, np.uint8)).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Writes the splits of the hub's only repository as Parquet; the network is this folder."""
    import huggingface_hub

    folder, load = tmp_path / "hub", datasets.load_dataset
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    def dataset_info(self, repository: str, *, revision: str | None = None):
        if repository != "somebody/cats":
            raise ConnectionError("Network is unreachable")
        return SimpleNamespace(id=repository, sha=COMMIT)

    def load_dataset(path: str, name: str | None, *, revision: str, streaming: bool):
        assert (path, revision, streaming) == ("somebody/cats", COMMIT, True)
        return load(str(folder), name, streaming=True)

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", dataset_info)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)

    def write(kinds: dict, **splits: dict) -> None:
        features = datasets.Features(kinds)
        for split, columns in splits.items():
            rows = datasets.Dataset.from_dict(columns, features=features)
            rows.to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")

    (folder / "data").mkdir(parents=True)
    return write


IMAGE, LABEL = datasets.Image(), datasets.ClassLabel(names=["tabby", "black"])
SIX = {"image": [png(20 * i) for i in range(6)], "label": [0, 1, 1, 0, 1, 0]}


def test_a_data_set_of_the_hub_is_what_its_commit_holds(hub, home):
    """Labels by name, splits as parts, the revision pinned, and the files themselves."""
    hub({"image": IMAGE, "label": LABEL}, train=SIX, test={"image": [png(250), png(251)], "label": [1, 0]})
    info = data.add("cats", CATS)
    assert info.origin == f"added by the user: {CATS}@{COMMIT}"
    assert (info.images, info.trained, info.held_out, info.classes) == (8, 6, 2, ("tabby", "black"))
    assert info.class_counts == {"tabby": (3, 1), "black": (3, 1)}
    ready = data.prepare("cats", resolution=(32, 32))
    assert ready.training.labels.tolist() == SIX["label"]
    assert ready.training.raw(torch.arange(6))[:, 0, 0, 0].tolist() == [0, 20, 40, 60, 80, 100]
    assert ready.test.raw(torch.arange(2))[:, 0, 0, 0].tolist() == [250, 251]


def test_it_is_streamed_once_and_removed_with_its_name(hub, home, monkeypatch):
    hub({"image": IMAGE, "label": LABEL}, train=SIX)
    info = data.add("cats", CATS)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: pytest.fail("it was there already"))
    assert data.add("cats", f"{CATS}@{COMMIT}") == info
    (kept,) = (home / "downloads").glob("*.zip")
    assert all(member.compress_type == zipfile.ZIP_STORED for member in zipfile.ZipFile(kept).infolist())
    data.remove("cats")
    assert not kept.exists()


def test_a_run_says_of_which_revision_its_data_is(hub, home, tmp_path):
    hub({"image": IMAGE, "label": LABEL}, train=SIX)
    cli("data", "add", "cats", CATS)
    words = ["--resolution", "32", "--steps", "1", "--batch-size", "2", "--out", tmp_path / "run"]
    done = cli("train", "dcgan", "cats", *words)
    assert done.exit_code == 0, done.output
    header = json.loads((tmp_path / "run" / "run.json").read_text())
    assert header["data"]["origin"].endswith(f"@{COMMIT}")


def test_what_to_take_can_be_said(hub, home):
    columns = {"image": SIX["image"], "other": SIX["image"][::-1], "label": SIX["label"], "kind": list("aabbcc")}
    kinds = {"image": IMAGE, "other": IMAGE, "label": LABEL, "kind": datasets.Value("string")}
    hub(kinds, train=columns, extra=columns)
    for address, words in (
        (CATS, f"has the splits train, extra; say which to take: {CATS}#split=train."),
        (f"{CATS}#split=trian", "has no split 'trian'; did you mean train"),
        (f"{CATS}#split=train", "has several columns of images, image, other; choose one: #image=image"),
        (f"{CATS}#split=train,image=label", "has no column of images called label, only image, other, label, kind."),
        (f"{CATS}#split=train,image=imago", "has no column 'imago'; did you mean image"),
        (f"{CATS}#piece=train", "After # come split=, config=, image= or label= and a name, not 'piece=train'."),
        (f"{CATS}#config=large", "#config=NAME"),
    ):
        with pytest.raises(UsageError) as caught:
            data.add("cats", address)
        assert words in str(caught.value)
    info = data.add("cats", f"{CATS}#split=extra,image=other,label=kind")
    assert info.classes == ("a", "b", "c")
    assert info.source.endswith("#split=extra,image=other,label=kind")


def test_labels_that_are_not_told_and_tables_without_images(hub, home):
    hub({"image": IMAGE, "label": LABEL}, train=SIX, test={"image": [png(1), png(2)], "label": [-1, -1]})
    with pytest.raises(UsageError, match=r"images without a label \(test/00000000.png, column label\).*#split=train"):
        data.add("cats", CATS)
    assert not list((home / "downloads").glob("*.zip"))
    assert data.add("cats", f"{CATS}#split=train").images == 6


def test_a_table_without_images(hub, home):
    hub({"text": datasets.Value("string")}, train={"text": ["a", "b"]})
    with pytest.raises(UsageError, match=r"has no column of images, only text\."):
        data.add("cats", CATS)


def test_an_image_that_is_missing_is_counted(hub, home):
    hub({"image": IMAGE}, train={"image": [*SIX["image"], None]})
    assert data.add("cats", CATS, skip_bad=True).skipped == 1


def test_a_table_may_name_no_file_of_this_machine_or_the_web():
    mine = f"{CATS}@1/a.zip"
    for path in (
        "/etc/passwd",
        f"{CATS}@1/../x",
        f"{CATS}@10/a.png",
        f"/etc/passwd::{mine}",
        "https://example.org/a.png",
    ):
        with pytest.raises(GanzooError, match="names a file outside of itself"):
            data_sets._content({"bytes": None, "path": path}, CATS, f"{CATS}@1")
    for path in (
        f"file:///etc/passwd::{mine}",
        f"https://example.org/a::{mine}",
        f"zip://a::file:///b.zip::{mine}",
        "",
    ):
        with pytest.raises(GanzooError, match="names a file outside of itself"):
            data_sets._content({"bytes": None, "path": path}, CATS, f"{CATS}@1")


def test_a_file_of_the_repository_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("1.png", png(1)["bytes"])
    (tmp_path / "1.png").write_bytes(png(2)["bytes"])
    root = tmp_path.as_uri()  # stands for hf://datasets/…@…
    assert data_sets._content({"bytes": None, "path": f"{root}/1.png"}, CATS, root) == png(2)["bytes"]
    assert data_sets._content({"bytes": None, "path": f"zip://1.png::{root}/a.zip"}, CATS, root) == png(1)["bytes"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("RevisionNotFoundError", "somebody/cats has no revision v9; its page lists them."),
        ("RepositoryNotFoundError", "There is no data set somebody/cats on the hub, or you may not see it"),
        ("GatedRepoError", "hf://datasets/somebody/cats@v9 asks for a consent that you have not given"),
    ],
)
def test_what_the_hub_refuses_is_said(hub, home, monkeypatch, kind, words):
    import huggingface_hub

    answer = SimpleNamespace(headers={}, request=None, status_code=404)

    def refuse(self, repository: str, *, revision: str | None):
        raise getattr(huggingface_hub.errors, kind)("no", response=answer)

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", refuse)
    with pytest.raises(GanzooError) as caught:
        data.add("cats", f"{CATS}@v9")
    assert words in str(caught.value)


def test_an_older_library_is_refused(hub, home, monkeypatch):
    monkeypatch.setattr(datasets, "__version__", "3.6.0")
    with pytest.raises(GanzooError, match=r"needs datasets 5 or later, and 3\.6\.0 is installed; type: pip install -U"):
        data.add("cats", CATS)


def test_without_network_library_or_repository(hub, home, monkeypatch):
    with pytest.raises(GanzooError, match=r"The hub cannot be asked about hf://datasets/nobody/x .*check the network"):
        data.add("cats", "hf://datasets/nobody/x")
    with pytest.raises(GanzooError, match="hf://datasets/somebody/cats cannot be read"):
        data.add("cats", CATS)  # an empty repository
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert "pip install 'ganzoo[datasets]'" in refusal(cli("data", "add", "cats", CATS), 1)


def test_a_model_is_no_data_set_and_a_data_set_no_model():
    assert "is no model's address on the hub" in refusal(cli("sample", CATS))
    assert "write hf://datasets/USER/NAME" in refusal(cli("data", "add", "cats", "hf://somebody/cats"))


def written(folder, name: str, kinds: dict, columns: dict) -> None:
    rows = datasets.Dataset.from_dict(columns, features=datasets.Features(kinds))
    rows.to_parquet(folder / f"{name}.parquet")


def test_a_folder_of_this_machine_is_as_one_of_the_hub(home, tmp_path):
    """Several files of a split, splits as parts, and again once it has changed."""
    folder = tmp_path / "my cats" / "data"
    folder.mkdir(parents=True)
    for name in ("train-00000-of-00002-ab", "train-00001-of-00002-cd", "test-00000-of-00001"):
        written(folder, name, {"image": IMAGE, "label": LABEL}, SIX)
    info = data.add("cats", f"hf://datasets/{folder.parent}")
    assert (info.images, info.held_out, info.classes) == (18, 6, ("tabby", "black"))
    assert info.origin == "added by the user: my cats"
    first = data.open_source("cats")
    assert [np.asarray(first.read(place))[0, 0, 0] for place in range(6, 12)] == [0, 20, 40, 60, 80, 100]
    (folder / "test-00000-of-00001.parquet").unlink()
    assert data.add("now", f"hf://datasets/{folder.parent}").images == 12
    with pytest.raises(UsageError, match=r"There is nothing at .*nowhere; after hf://datasets/ comes USER/NAME, or"):
        data.add("none", "hf://datasets/./nowhere")


def test_one_file_and_what_other_programs_write(home, tmp_path):
    """Pictures as bytes without more, or as files with a path; labels that are words; what save_to_disk writes."""
    as_bytes, words = [each["bytes"] for each in SIX["image"]], list("abbaba")
    kinds = {"image": datasets.Value("binary"), "label": datasets.Value("string")}
    written(tmp_path, "plain", kinds, {"image": as_bytes, "label": words})
    as_files = {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}
    written(tmp_path, "files", {"photo": as_files}, {"photo": SIX["image"]})
    assert data.add("plain", f"hf://datasets/{tmp_path}/plain.parquet").classes == ("a", "b")
    assert data.add("files", f"hf://datasets/{tmp_path}/files.parquet").images == 6
    rows = datasets.Dataset.from_dict(SIX, features=datasets.Features({"image": IMAGE, "label": LABEL}))
    rows.save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict({"train": rows, "test": rows}).save_to_disk(str(tmp_path / "two"))
    assert data.add("one", f"hf://datasets/{tmp_path}/one").class_counts == {"tabby": (3, 0), "black": (3, 0)}
    assert data.add("two", f"hf://datasets/{tmp_path}/two").held_out == 6


def test_a_table_of_pictures_says_how_it_is_read(home, tmp_path):
    written(tmp_path, "six", {"image": IMAGE, "label": LABEL}, SIX)
    address = f"hf://datasets/{tmp_path}"
    with pytest.raises(UsageError, match=rf"holds files, such as pictures, .*type: ganzoo data add NAME {address}/six"):
        data.add("six", tmp_path / "six.parquet")
    with pytest.raises(UsageError, match=rf"only 1 \.parquet; .*; where its tables hold pictures give {address}\."):
        data.add("six", tmp_path)


def test_a_broken_file_is_one_sentence(home, tmp_path, capfd):
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(GanzooError, match=r"cannot be read \(.*\); check its files\."):
        data.add("bad", f"hf://datasets/{tmp_path}")
    assert capfd.readouterr().err == ""
