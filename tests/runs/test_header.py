"""What run.json, a model's header and a checkpoint say, damaged, edited by hand, or made up by a stranger."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import ganzoo
from ganzoo.contract.stored import as_json, from_json
from ganzoo.errors import GanzooError
from ganzoo.runs import checkpoint
from ganzoo.runs.header import CheckpointHeader, ModelHeader, checkpoint_header, model_header, run_header

HERE = Path(__file__).parents[1] / "fixtures" / "contract1"
RUN = HERE / "dcgan-stopped"
MODEL = HERE / "dcgan-ended" / "model.safetensors"


@pytest.mark.parametrize("file", sorted(HERE.glob("*/run.json")), ids=lambda file: file.parent.name)
def test_a_run_says_the_same_when_it_is_written_again(file: Path) -> None:
    header = run_header(file.read_bytes(), file)
    assert run_header(json.dumps(as_json(header)), file) == header
    assert (header.architecture, header.settings.seed) == (file.parent.name.partition("-")[0], 3)


def test_a_model_and_a_checkpoint_too() -> None:
    for file, read, kind in (
        (MODEL, model_header, ModelHeader),
        (next((RUN / "checkpoints").iterdir()), checkpoint_header, CheckpointHeader),
    ):
        header = read(checkpoint.read_facts(file), file)
        assert from_json(kind, json.loads(json.dumps(as_json(header))), file, "") == header


def test_a_model_of_pictures_with_levels_reads_pictures_by_them() -> None:
    levels, facts = {"": {"black": 0.0, "white": 4095.0}}, checkpoint.read_facts(MODEL)
    header = model_header({**facts, "data": {**facts["data"], "levels": levels}}, MODEL)
    assert header.data.reading().levels == (0.0, 4095.0)
    assert as_json(header)["data"]["levels"] == levels


def changed(facts: object, key: str, value: object) -> object:
    """The facts with another value at a key such as ``data.shape``; without it for `...`."""
    first, _, rest = key.partition(".")
    assert isinstance(facts, dict)
    if not rest and value is ...:
        return {name: each for name, each in facts.items() if name != first}
    return {**facts, first: changed(facts[first], rest, value) if rest else value}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("data.shape", [3, "16", 16], "`data.shape[1]` is '16', which is not a whole number"),
        ("data.shape", [-3, 16, 16], "`data.shape[0]` is -3, which is not between"),
        ("data.shape", "3x16x16", "`data.shape` is '3x16x16', which is not a list"),
        ("data.classes", {"a": 1}, "`data.classes` is {'a': 1}, which is not a list"),
        ("data.fingerprint", None, "`data.fingerprint` is None, which is not text"),
        ("data", ..., "it does not say its `data`"),
        ("seed", True, "`seed` is True, which is not a whole number"),
        ("seed", -1, "`seed` is -1, which is not between"),
        ("size", [16], "`size` is [16], which is not a list of 2"),
        ("parameters", {"G": "many"}, "`parameters.G` is 'many', which is not a whole number"),
        ("settings.batch_size", 0, "in `settings`, --batch-size 0 is too small"),
        ("settings.lr", 1, "in `settings`, ganzoo has no option 'lr'"),
        ("stages", [{"length": {"steps": "9"}}], "`stages[0].length.steps` is '9', which is not a whole number"),
        ("stages", [], "it has no stages"),
        ("stages", [{"length": {"steps": 0}}], "a stage's length is {'steps': 0}"),
        ("stages", [{"length": {"steps": 1, "images": 1}}], "a stage's length is {'steps': 1, 'images': 1}"),
        ("stages", [{"length": {"hours": 1}}], "a stage's length is {'hours': 1}"),
        ("process", {"pid": 1}, "it does not say its `process.host`"),
        ("format", "new", "`format` is 'new', which is not a whole number"),
    ],
)
def test_a_run_edited_by_hand_names_the_file_and_the_key(tmp_path, key, value, words) -> None:
    facts = json.loads((RUN / "run.json").read_text(encoding="utf-8"))
    (tmp_path / "run.json").write_text(json.dumps(changed(facts, key, value)), encoding="utf-8")
    with pytest.raises(GanzooError) as error:
        ganzoo.Run.open(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'run.json'} is damaged: {words}")
    assert str(error.value).endswith("; restore it to go on.")


@pytest.mark.parametrize(
    "text",
    ["5", "null", "[" * 100_000, '{"a":' * 100_000, "NaN", "1" + "0" * 5000, "", '{"architecture": 5}', "\x00"],
    ids=["number", "null", "brackets", "braces", "nan", "digits", "nothing", "other", "zero"],
)
def test_what_is_no_header(tmp_path, text) -> None:
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    (tmp_path / "classes.json").write_text(text, encoding="utf-8")
    file = tmp_path / "model.safetensors"
    save_file({"x": torch.zeros(1)}, file, {"ganzoo": text, "sha256": ""})
    for opens in (
        ganzoo.Run.open,
        ganzoo.load,
        ganzoo.resume_per_class,
        lambda folder: ganzoo.load(folder / file.name),
    ):
        with pytest.raises(GanzooError) as error:
            opens(tmp_path)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("config.latents", 10**9, "do not fit DCGAN"),
        ("config.width_g", 4096, "do not fit DCGAN"),
        ("data.shape", [3, 2**30, 2**30], "DCGAN"),
        ("data.shape", [-3, 16, 16], "`data.shape[0]` is -3"),
        ("data.shape", [10**30, 16, 16], "`data.shape[0]` is 1"),
        ("step", -1, "`step` is -1"),
        ("config", [1], "`config` is [1], which is not an object"),
        ("data.levels", {"": {"black": 5.0, "white": 5.0}}, "levels from 5.0 to 5.0"),
    ],
)
def test_a_strangers_sizes_are_compared_before_memory_is_taken(tmp_path, key, value, words) -> None:
    tensors, facts = checkpoint.load(MODEL)
    assert isinstance(facts["config"], dict)
    file = tmp_path / "model.safetensors"
    checkpoint.save(file, tensors, changed(facts, key, value))
    with torch.device("cpu"), pytest.raises(GanzooError, match=re.escape(words)) as error, no_memory():
        ganzoo.load(file, "cpu")
    assert "\n" not in str(error.value)


def test_what_is_not_installed_here_is_named_as_the_cause(tmp_path) -> None:
    tensors, facts = checkpoint.load(MODEL)
    file = tmp_path / "model.safetensors"
    checkpoint.save(file, tensors, changed(facts, "config.augment", "nowhere"))
    with pytest.raises(GanzooError, match="says: There is no augmentation 'nowhere'"):
        ganzoo.load(file, "cpu")


class no_memory(torch.utils._python_dispatch.TorchDispatchMode):
    """Fails where a tensor of more than a million numbers is made on the CPU."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor) and made.device.type == "cpu":
            assert made.numel() < 1_000_000
        return made


@pytest.mark.parametrize(
    "change",
    [
        {"stage": 1},
        {"stage": -1},
        {"stage_starts": []},
        {"stage_starts": [10**6]},
        {"extent": {"first_image": 10**9, "last_image": 5}},
        {"extent": {"first_image": 0, "last_image": 10**12, "last_step": 10**9}},
        {"counters": {"step": "3"}},
        {"log_bytes": -1},
        {"newest": {"loss/D": None}},
    ],
    ids=str,
)
def test_a_checkpoint_that_cannot_be(tmp_path, change) -> None:
    run = Path(shutil.copytree(RUN, tmp_path / "run"))
    [file] = (run / "checkpoints").iterdir()
    tensors, facts = checkpoint.load(file)
    checkpoint.save(file, tensors, {**facts, **change})
    with pytest.raises(GanzooError, match=rf"{file.name} is (damaged: |of stage)") as error:
        ganzoo.resume(run)
    assert "\n" not in str(error.value)
