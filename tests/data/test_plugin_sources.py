"""Sources as strangers write them: a path among the options, vectors that say their shape, an option left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from support.command_line import cli

import ganzoo
from ganzoo import data

SOURCE = """
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ganzoo.api import DatasetCard, UsageError, hookimpl, option


@dataclass(frozen=True)
class Cube:
    folder: str = option("", "a folder with rows.csv")
    scale: float = option(1.0, "what all numbers are multiplied by")

    classes = ()
    domains = {}
    shape = (3,)

    def __post_init__(self):
        if not self.folder:
            raise UsageError("cube needs a folder: cube:folder=FOLDER.")
        object.__setattr__(self, "folder", str(Path(self.folder).expanduser().absolute()))
        object.__setattr__(self, "rows", np.loadtxt(Path(self.folder) / "rows.csv", np.float32, delimiter=","))

    def __len__(self):
        return len(self.rows)

    @property
    def fingerprint(self):
        return f"{self.rows.tolist()} {self.scale}"

    def label(self, index):
        return -1

    def read(self, index, size=None):
        return self.rows[index] * np.float32(self.scale)


@hookimpl
def ganzoo_datasets():
    yield DatasetCard(name="cube", summary="Points of space.", origin="a file", api=2, dataset=Cube)
"""


@pytest.fixture(autouse=True)
def cube(own_catalogue: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    (tmp_path / "cube.py").write_text(SOURCE)
    (tmp_path / "here").mkdir()
    np.savetxt(tmp_path / "here" / "rows.csv", np.arange(12.0).reshape(4, 3), delimiter=",")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    ganzoo.use_plugin("cube.py")


def test_a_path_that_the_source_made_absolute_is_so_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a run's data is found from every folder."""
    found = data.info("cube:folder=here,scale=2")
    assert found.name == f"cube:folder={tmp_path / 'here'},scale=2"
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert data.info(found.name) == found


def test_one_that_cannot_be_typed_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a,b").mkdir()
    (tmp_path / "here").rename(tmp_path / "a,b" / "here")
    monkeypatch.chdir(tmp_path / "a,b")
    assert data.info("cube:folder=here").name == "cube:folder=here"


def test_vectors_may_say_their_shape() -> None:
    found = data.info("cube:folder=here")
    assert (found.images, found.channels) == (4, None)
    (part,) = data.prepare("cube:folder=here").parts.values()
    assert part.raw(torch.arange(4)).shape == (4, 3)


def test_what_is_needed_is_asked_for() -> None:
    with pytest.raises(ganzoo.UsageError, match="cube needs a folder"):
        data.info("cube")
    listed = "".join(cli("data", "list").output.split())  # the column is as narrow as the others leave it
    assert "cubeneedsafolder:cube:folder=FOLDER." in listed


def test_what_is_held_out_is_asked_for_no_oftener_for_more_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A set of it made anew for each item once took 10 seconds of 60,000 images."""
    cube = type(data.store.resolve("cube:folder=here")[0])
    asked: list[int] = []
    monkeypatch.setattr(cube, "held_out", property(lambda self: asked.append(len(self)) or range(1)), raising=False)
    np.savetxt(tmp_path / "elsewhere" / "rows.csv", np.arange(120.0).reshape(40, 3), delimiter=",")
    for folder, count in (("here", 4), ("elsewhere", 40)):
        prepared = data.prepare(f"cube:folder={folder}")
        assert (len(prepared.training), len(prepared.held_out["test"])) == (count - 1, 1)
    assert asked.count(4) == asked.count(40)
