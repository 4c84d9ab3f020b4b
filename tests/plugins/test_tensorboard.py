"""TensorBoard's event files say what the run's own files say."""

from __future__ import annotations

import io

import numpy
import pytest
from PIL import Image

import ganzoo
from ganzoo.loop.display import Display

pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")


class Failing(Display):
    def __init__(self, at: int) -> None:
        self.at = at

    def step(self, moment, values) -> None:
        if moment.step == self.at:
            raise RuntimeError("the power failed")


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """A run that failed between a row and the next checkpoint, and was resumed."""
    folder = tmp_path_factory.mktemp("tensorboard") / "run"
    options = {"steps": 34, "checkpoint_every": 15, "samples": 4, "device": "cpu", "log": "tensorboard"}
    with pytest.raises(RuntimeError, match="the power failed"):
        ganzoo.train("tinygan", "tiny", out=folder, display=Failing(at=28), **options)
    return ganzoo.resume(folder, display=Display())


@pytest.fixture(scope="module")
def read(resumed):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    everything = EventAccumulator(
        str(resumed.path / "tensorboard"), size_guidance={"scalars": 0, "images": 0, "tensors": 0}
    )
    return everything.Reload()


def test_every_value_of_every_row(resumed, read):
    """Each once: what was logged after the checkpoint that the run went on from is forgotten."""
    rows = list(resumed.metrics())
    assert {20, 30, 34} <= {row["step"] for row in rows}  # 20 was logged twice
    expected = {name: [(row["step"], row[name]) for row in rows] for name in rows[0] if name != "step"}
    assert set(read.Tags()["scalars"]) == set(expected)
    for name, points in expected.items():
        found = [(event.step, event.value) for event in read.Scalars(name)]
        assert [step for step, _ in found] == [step for step, _ in points], name
        assert [value for _, value in found] == pytest.approx([value for _, value in points], rel=1e-6), name


def test_sample_sheets_are_images(resumed, read):
    sheets = sorted((resumed.path / "samples").glob("*.png"), key=lambda file: file.stat().st_mtime)
    found = read.Images("samples")
    assert len(found) == len(sheets) > 1
    for event, file in zip(found, sheets, strict=True):
        logged = Image.open(io.BytesIO(event.encoded_image_string))
        with Image.open(file) as sheet:
            assert numpy.array_equal(numpy.asarray(logged), numpy.asarray(sheet.convert("RGB")))
    assert found[-1].step == 34


def test_options_are_hyperparameters(resumed, read):
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    content = read.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    found = HParamsPluginData.FromString(content).session_start_info.hparams
    assert found["lr"].number_value == pytest.approx(2e-3)
    assert found["loss"].string_value == resumed.facts["config"]["loss"]
    assert found["flip"].bool_value is False
    assert (found["architecture"].string_value, found["data"].string_value) == ("tinygan", "tiny")
    assert set(found) == {name for name, value in resumed.hyperparameters.items() if value is not None}


def test_the_final_status(resumed, read):
    (tag,) = [tag for tag in read.Tags()["tensors"] if tag.startswith("status")]
    assert [(event.step, event.tensor_proto.string_val[0]) for event in read.Tensors(tag)][-1] == (34, b"finished")


def test_one_folder_with_a_file_for_each_start(resumed):
    files = list((resumed.path / "tensorboard").iterdir())
    assert len(files) == 2
    assert all("tfevents" in file.name for file in files)
