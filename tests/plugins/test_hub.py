"""Models between people, by way of a stand-in for the hub on this machine and the hub's own client."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ganzoo_hub.page import Published, model_card
from ganzoo_hub.sharing import public
from PIL import Image
from support.command_line import cli, refusal
from support.hub import TOKEN, Hub, serve
from support.runs import edit

import ganzoo
from ganzoo.errors import GanzooError, UsageError
from ganzoo.runs import checkpoint
from ganzoo.runs.address import stem
from ganzoo.runs.header import architecture_of
from ganzoo.runs.run import Run

pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the client's own way to upload

FILES = {"model.safetensors", "README.md", "samples.png", "run.json"}


@pytest.fixture(scope="module")
def server():
    with serve() as hub:
        yield hub


@pytest.fixture
def hub(server: Hub, tmp_path, monkeypatch) -> Hub:
    """The hub, empty, with the client told where it is, somebody logged in, and a cache of the test's own."""
    from huggingface_hub import constants

    server.repositories.clear(), server.objects.clear(), server.asked.clear()
    server.broken = 0
    monkeypatch.chdir(tmp_path)
    point_at(server.url, monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return server


def point_at(url: str, monkeypatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


@pytest.fixture
def published(hub: Hub, finished: Run) -> str:
    ganzoo.push(finished, "hf://somebody/tiny")
    return "hf://somebody/tiny"


# ---- there and back --------------------------------------------------------------------------------------------------


def test_what_is_pushed_can_be_used_by_its_address(published, hub, finished):
    assert set(hub.files("somebody/tiny")) == FILES
    assert hub.files("somebody/tiny")["model.safetensors"] == finished.model_file.read_bytes()
    mine, theirs = ganzoo.load(finished.path), ganzoo.load(published)
    assert torch.equal(mine.sample(4, seed=1), theirs.sample(4, seed=1))
    hub.asked.clear()
    ganzoo.load(published)
    assert [each for each in hub.asked if each.startswith("GET /cdn")] == []  # it is here already


def test_the_real_client_finds_the_hub_by_its_variable(server, finished, tmp_path):
    """As a person would: two commands in a shell, with HF_ENDPOINT."""
    server.repositories.clear()
    own = {"HF_ENDPOINT": server.url, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": TOKEN}
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    code = (
        "import sys; from click.testing import CliRunner; from ganzoo.cli.app import app\n"
        "for words in (['push', sys.argv[1], 'hf://somebody/shell'], ['sample', 'hf://somebody/shell', '-n', '4'],\n"
        "              ['pull', 'hf://somebody/shell']):\n"
        "    result = CliRunner().invoke(app, words)\n"
        "    print(result.output, end='')\n"
        "    assert result.exit_code == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(finished.path)],
        env={**os.environ, **own, "PYTHONPATH": path}, cwd=tmp_path, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"is published: {server.url}/somebody/shell\n" in done.stdout
    assert "Others use it with: ganzoo sample hf://somebody/shell\n" in done.stdout
    assert "4 images are in shell-samples.png" in done.stdout
    digest = hashlib.sha256(finished.model_file.read_bytes()).hexdigest()
    assert f"SHA-256 {digest}" in done.stdout
    assert (tmp_path / "shell.safetensors").read_bytes() == finished.model_file.read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ["sample", "SOURCE", "-n", "2"],
        ["interpolate", "SOURCE", "--points", "2", "--frames", "2"],
        ["export", "SOURCE", "--format", "safetensors"],
        ["project", "SOURCE", "face.png", "--steps", "2", "--starts", "1"],
    ],
    ids=lambda words: words[0],
)
def test_commands_that_take_a_model_take_its_address(published, tmp_path, words):
    Image.new("RGB", (8, 8), "red").save("face.png")
    result = cli(*(published if word == "SOURCE" else word for word in words))
    assert result.exit_code == 0, result.output
    made = [file.name for file in tmp_path.iterdir() if file.is_file() and file.name != "face.png"]
    assert made
    assert all(name.startswith(("tiny", "run")) for name in made), made


def test_a_run_can_start_from_a_published_model(published, train):
    run = train(init=published, steps=1)
    assert run.facts["init"] == published


def test_a_revision_can_be_pinned(published, hub, finished, train):
    first = hub.repositories["somebody/tiny"].main
    ganzoo.push(train("other", seed=5), published)
    second = hub.repositories["somebody/tiny"].main
    assert first != second
    pinned = ganzoo.pull(f"{published}@{first}", "first.safetensors")
    assert pinned.address == f"{published}@{first}"
    assert pinned.file.read_bytes() == finished.model_file.read_bytes()
    newest = ganzoo.pull(published, "newest.safetensors")
    assert newest.address == f"{published}@{second}"
    assert newest.sha256 != pinned.sha256


def test_pushing_twice_is_one_commit_more_or_none(published, hub, finished):
    assert len(hub.repositories["somebody/tiny"].commits) == 1
    ganzoo.push(finished, published)
    assert set(hub.files("somebody/tiny")) == FILES


def test_a_repository_can_be_private(hub, finished, monkeypatch):
    ganzoo.push(finished, "hf://somebody/secret", private=True)
    assert hub.repositories["somebody/secret"].private
    assert ganzoo.load("hf://somebody/secret").sample(1).shape == (1, 3, 8, 8)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(GanzooError, match="There is no model somebody/secret on the hub, or you may not see it"):
        ganzoo.load("hf://somebody/secret")


def test_a_url_a_file_and_a_run_can_be_pulled_too(published, hub, finished, tmp_path):
    url = f"{hub.url}/somebody/tiny/resolve/main/model.safetensors"
    digest = hashlib.sha256(finished.model_file.read_bytes()).hexdigest()
    for source in (url, f"{url}#sha256={digest}", finished.model_file, finished.path):
        assert ganzoo.pull(source, "pulled.safetensors").sha256 == digest
    with pytest.raises(GanzooError, match="has the SHA-256"):
        ganzoo.pull(f"{url}#sha256={'0' * 64}")
    assert torch.equal(ganzoo.load(url).sample(1), ganzoo.load(finished.path).sample(1))


def test_nothing_of_yours_is_overwritten(published, tmp_path):
    (tmp_path / "tiny.safetensors").write_text("mine", encoding="utf-8")
    assert refusal(cli("pull", published)) == (
        "Error: tiny.safetensors exists already and is another; choose another name with -o."
    )
    assert (tmp_path / "tiny.safetensors").read_text(encoding="utf-8") == "mine"
    assert cli("pull", published, "-o", "folder/other.safetensors").exit_code == 0
    assert cli("pull", published, "-o", "folder/other.safetensors").exit_code == 0  # the same again is no harm
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["other.safetensors"]


def test_a_folder_shows_what_would_be_published(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ganzoo.push(finished, "look") == "look"
    assert {file.name for file in Path("look").iterdir()} == FILES
    with pytest.raises(UsageError, match="look exists already and is not an empty folder"):
        ganzoo.push(finished, "look")
    ganzoo.push(finished, "bare", samples=False)
    assert {file.name for file in Path("bare").iterdir()} == FILES - {"samples.png"}
    assert "![" not in Path("bare/README.md").read_text(encoding="utf-8")


# ---- the page --------------------------------------------------------------------------------------------------------


def test_the_page_says_what_the_run_says(published, hub, finished):
    page = hub.files("somebody/tiny")["README.md"].decode()
    for text in (
        "# tiny\n", "A TinyGAN (2000, none)", "on `tiny`: 48 items of 3×8×8, of the tests", "![", "(samples.png)",
        "ganzoo sample hf://somebody/tiny\n", 'ganzoo.load("hf://somebody/tiny").sample(16, seed=1)',
        "| name | tiny |", "| origin | of the tests |", "| fingerprint | tiny:48:0 |", "tinygan, of ganzoo-tiny 1.0",
        "pip install ganzoo-tiny==1.0", "96 images in 6 steps", "| stage 1 | epochs 2 |", "| `lr` | 0.002 |",
        "| `batch_size` | 16 |", "| `seed` | 0 |", hashlib.sha256(finished.model_file.read_bytes()).hexdigest(),
    ):  # fmt: skip
        assert text in page, text
    assert "## Scores" not in page


def test_the_front_matter_is_what_the_hub_reads(hub, finished, tmp_path):
    from huggingface_hub import ModelCard

    (finished.path / "scores.jsonl").unlink(missing_ok=True)
    ganzoo.push(finished, "look", licence="CC-BY-4.0")
    data = ModelCard.load("look/README.md").data
    assert (data.library_name, data.license) == ("ganzoo", "cc-by-4.0")
    assert data.tags == ["ganzoo", "gan", "tinygan", "unconditional"]
    assert data.pipeline_tag == "unconditional-image-generation"


def test_scores_of_this_very_model_are_on_the_page(train, hub):
    from huggingface_hub import ModelCard

    run = train("scored")
    protocol = {
        "samples": 500,
        "split": "training",
        "seed": 3,
        "model": "model.safetensors",
        "fingerprint": "tiny:48:0",
    }
    another, elsewhere = {**protocol, "model": "best.safetensors"}, {**protocol, "fingerprint": "digits:9:9"}
    rows = [
        {"step": 4, "images": 64, "training": False, "metrics": [{"name": "swd", "value": 9.0, "protocol": protocol}]},
        {"step": 2, "images": 32, "training": True, "metrics": [{"name": "old", "value": 1.0, "protocol": protocol}]},
        {"step": 4, "images": 64, "training": False, "metrics": [{"name": "swd", "value": 7.25, "protocol": protocol}]},
        {"step": 4, "images": 64, "training": False, "metrics": [{"name": "swd", "value": 1.0, "protocol": another}]},
        {"step": 4, "images": 64, "training": False, "metrics": [{"name": "swd", "value": 2.0, "protocol": elsewhere}]},
    ]
    (run.path / "scores.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ganzoo.push(run, "look")
    page = Path("look/README.md").read_text(encoding="utf-8")
    assert "| swd | 7.25 | 500 samples, training split, seed 3 |" in page
    assert "old" not in page
    (result,) = ModelCard.load("look/README.md").data.eval_results
    assert (result.metric_type, result.metric_value, result.dataset_name) == ("swd", 7.25, "tiny")


def test_the_picture_is_what_sample_makes(published, hub, tmp_path):
    assert cli("sample", published, "-o", "mine.png").exit_code == 0
    (tmp_path / "theirs.png").write_bytes(hub.files("somebody/tiny")["samples.png"])
    with Image.open("mine.png") as mine, Image.open("theirs.png") as theirs:
        assert mine.tobytes() == theirs.tobytes()


# ---- what stays here -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/me/My Pictures/faces.zip", "faces.zip"),
        ("/home/me/faces/", "faces/"),
        ("/faces", "faces"),
        ("C:\\Users\\me\\faces.zip", "faces.zip"),
        ("C:/Users/me/faces.zip", "faces.zip"),
        ("\\\\server\\share\\faces.zip", "faces.zip"),
        ("~/faces.zip", "faces.zip"),
        ("../../me/faces.zip", "faces.zip"),
        ("added from /home/me/My Pictures/faces.zip (64 px)", "added from faces.zip (64 px)"),
        ("added from /home/me/faces.zip and (/srv/x/y)", "added from y)"),  # too much rather than too little
        ("folder:path=/home/me/faces,images=5", "folder:path=faces,images=5"),
        ("file:///home/me/faces.zip", "faces.zip"),
        ("https://example.org/a/b.zip", "https://example.org/a/b.zip"),
        ("torchvision://MNIST", "torchvision://MNIST"),
        ("and/or, 3 / 4, D(x) / D(G(z))", "and/or, 3 / 4, D(x) / D(G(z))"),
        ("runs/dcgan-anime-1", "runs/dcgan-anime-1"),
        ("wgan-gp:weight=5+drift", "wgan-gp:weight=5+drift"),
    ],
)
def test_folders_of_this_machine_stay_here(text, expected):
    assert public(text) == expected
    assert public({"a": [text], "b": {"c": text}}) == {"a": [expected], "b": {"c": expected}}


def test_nothing_private_is_in_what_is_pushed(train, hub, tmp_path):
    run = train("private")
    secret = str(tmp_path / "secret place" / "faces.zip")
    described = {**run.facts["data"], "origin": f"added from {secret}", "name": secret}
    tensors, facts = checkpoint.load(run.model_file)
    checkpoint.save(run.model_file, tensors, {**facts, "data": described})
    edit(
        run.path / "run.json", data=described, init=secret, recipe=secret, plugin={"path": secret},
        process={"pid": os.getpid(), "host": socket.gethostname()},
        settings={**run.facts["settings"], "log": "wandb:project=unannounced"},
    )  # fmt: skip
    (run.path / "notes.txt").write_text("mine", encoding="utf-8")
    ganzoo.push(Run.open(run.path), "hf://somebody/tiny")
    pushed = hub.files("somebody/tiny")
    assert set(pushed) == FILES
    for name, content in pushed.items():
        for word in (str(tmp_path), "secret", str(Path.home()), socket.gethostname(), "unannounced", '"pid"'):
            by_chance = len(word) < 6 and not name.endswith((".md", ".json"))
            assert by_chance or word.encode() not in content, f"{name} has {word}"
    assert ganzoo.load("hf://somebody/tiny").facts["data"]["name"] == "faces.zip"
    assert json.loads(pushed["run.json"])["config"] == run.facts["config"]


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ("All weights are taken from runs/alice smith/run.", "All weights are taken from a model of the user's."),
        (
            "3 of 9 tensors are taken from alice/x.safetensors; D.a, D.b and 4 more begin anew.",
            "3 of 9 tensors are taken from a model of the user's; D.a, D.b and 4 more begin anew.",
        ),
        ("All weights are taken from hf://somebody/tiny.", "All weights are taken from hf://somebody/tiny."),
        ("All weights are taken from https://a.b/m?token=c.", "All weights are taken from https://a.b/m"),
    ],
)
def test_where_weights_were_taken_from_is_said_as_far_as_others_may_know(taken, expected):
    assert public({"taken": taken}) == {"taken": expected}


def test_names_that_the_user_chose_for_files_are_not_pushed_nor_keys_of_addresses(train, hub):
    run = train("private2")
    described = {**run.facts["data"], "origin": "added by the user: alice smith"}
    tensors, facts = checkpoint.load(run.model_file)
    checkpoint.save(run.model_file, tensors, {**facts, "data": described})
    address = "https://bob:hidden@example.com/m.safetensors?token=abc123#part"
    edit(
        run.path / "run.json",
        data=described,
        init=address,
        recipe="alice-secret.toml",
        taken="All weights are taken from alice/m.safetensors.",
    )
    shown = cli("push", run.path, "hf://somebody/tiny", "--dry-run").output
    assert "somebody/tiny" not in hub.repositories
    assert "Nothing was published at hf://somebody/tiny" in shown
    ganzoo.push(Run.open(run.path), "hf://somebody/tiny")
    for content in (*hub.files("somebody/tiny").values(), shown.encode()):
        for word in (b"alice", b"abc123", b"hidden", b"#part"):
            assert word not in content
    assert b"https://example.com/m.safetensors" in hub.files("somebody/tiny")["run.json"]


# ---- what can go wrong -----------------------------------------------------------------------------------------------


def fails(source: str) -> str:
    """The one sentence that loading a source ends with."""
    with pytest.raises(GanzooError) as error:
        ganzoo.load(source)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_nobody_logged_in(hub, finished, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(
        GanzooError, match=r"^Nobody is logged in to the hub on this machine; log in with `hf auth login`"
    ):
        ganzoo.push(finished, "hf://somebody/tiny")
    assert hub.repositories == {}


def test_a_login_that_is_not_accepted(hub, finished, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(GanzooError, match="The hub does not accept your login; log in with"):
        ganzoo.push(finished, "hf://somebody/tiny")


def test_somebody_elses_name(hub, finished):
    with pytest.raises(GanzooError, match="You may not write to hf://else/tiny with this login"):
        ganzoo.push(finished, "hf://else/tiny")


def test_no_such_model_revision_or_file(published, hub):
    assert fails("hf://somebody/else") == (
        "There is no model somebody/else on the hub, or you may not see it; check the name, or log in with "
        "`hf auth login`, or set HF_TOKEN."
    )
    assert fails(f"{published}@v9") == "somebody/tiny has no revision v9; its page lists them."
    hub.put("somebody/text", {"README.md": b"hello"})
    assert fails("hf://somebody/text") == (
        "hf://somebody/text has no model.safetensors, so it is no model of ganzoo's."
    )


def test_no_network(published, finished, monkeypatch):
    point_at("http://127.0.0.1:9", monkeypatch)
    sentence = fails("hf://somebody/unseen")
    assert sentence.startswith("The hub cannot be asked about hf://somebody/unseen (")
    assert sentence.endswith("); check the network, and try again.")
    with pytest.raises(GanzooError, match="The hub cannot be asked about hf://somebody/tiny"):
        ganzoo.push(finished, published)


def test_without_a_network_what_was_fetched_before_will_do(published, monkeypatch):
    before = ganzoo.load(published).sample(1)
    point_at("http://127.0.0.1:9", monkeypatch)
    assert torch.equal(ganzoo.load(published).sample(1), before)


def test_a_hub_out_of_order(published, hub):
    hub.broken = 418
    assert fails(published).startswith(f"The hub answers 418 for {published} (")


def test_the_package_is_missing(finished, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", None)
    expected = r"^hf:// needs the package huggingface_hub, .* type: pip install 'ganzoo\[hub\]'"
    with pytest.raises(GanzooError, match=expected):
        ganzoo.load("hf://somebody/tiny")
    with pytest.raises(GanzooError, match=expected):
        ganzoo.push(finished, "hf://somebody/tiny")


def test_an_architecture_that_is_not_installed(hub, finished):
    tensors, facts = checkpoint.load(finished.model_file)
    file = Path("nowhere.safetensors")
    checkpoint.save(file, tensors, {**facts, "architecture": "far", "distribution": "ganzoo-far", "version": "2.0"})
    hub.put("somebody/far", {"model.safetensors": file.read_bytes()})
    assert "install it: pip install 'ganzoo-far==2.0'." in fails("hf://somebody/far")
    result = cli("pull", "hf://somebody/far")
    assert result.exit_code == 0
    assert "install it: pip install 'ganzoo-far==2.0'." in result.stderr
    assert Path("far.safetensors").read_bytes() == file.read_bytes()


def test_what_was_altered_on_the_way_is_deleted(published, hub, finished, tmp_path):
    good = finished.model_file.read_bytes()
    stated = hashlib.sha256(good).hexdigest()
    hub.put("somebody/tiny", {"model.safetensors": good[:-1] + b"\1"}, {"model.safetensors": stated})
    sentence = fails(published)
    assert "is not what the hub states" in sentence
    assert stated in sentence
    assert not list((tmp_path / "hub-cache").rglob("model.safetensors"))
    hub.put("somebody/tiny", {"model.safetensors": good})
    assert ganzoo.load(published).sample(1).shape == (1, 3, 8, 8)


def test_what_was_altered_before_it_was_published(hub, finished):
    """The hub's hash is right, the file's own is not."""
    hub.put("somebody/tiny", {"model.safetensors": finished.model_file.read_bytes()[:-1] + b"\1"})
    assert fails("hf://somebody/tiny").startswith("hf://somebody/tiny is damaged or was altered: its content")
    assert refusal(cli("pull", "hf://somebody/tiny"), 1).startswith("Error: hf://somebody/tiny is damaged")
    assert not Path("tiny.safetensors").exists()


def test_a_model_of_something_else(hub, tmp_path):
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    hub.put("somebody/other", {"model.safetensors": (tmp_path / "other.safetensors").read_bytes()})
    assert fails("hf://somebody/other").startswith("hf://somebody/other was not written by ganzoo")
    hub.put("somebody/html", {"model.safetensors": b"<html>sorry</html>"})
    assert fails("hf://somebody/html").startswith("hf://somebody/html is damaged or was altered")


@pytest.mark.parametrize(
    "change",
    [
        {"distribution": "x'; rm -rf ~ #"},
        {"architecture": "\x1b[2J"},
        {"version": None},
        {"config": None},
        {"data": None},
        {"data": {"name": "n", "origin": "o", "shape": ["3", 8, 8], "classes": [], "domains": []}},
        {"plugin_files": [{"path": "/dev/zero"}]},
    ],
    ids=["shell", "terminal", "version", "config", "data", "shape", "files"],
)
def test_a_strangers_header_is_not_trusted(hub, finished, tmp_path, change):
    tensors, facts = checkpoint.load(finished.model_file)
    checkpoint.save(tmp_path / "bad.safetensors", tensors, {**facts, **change})
    hub.put("somebody/bad", {"model.safetensors": (tmp_path / "bad.safetensors").read_bytes()})
    sentence = fails("hf://somebody/bad")
    assert "it is no model of ganzoo's" in sentence
    assert "rm -rf" not in sentence
    assert "\x1b" not in cli("pull", "hf://somebody/bad").output


def test_a_strangers_header_names_no_folder(hub, finished, tmp_path):
    tensors, facts = checkpoint.load(finished.model_file)
    checkpoint.save(tmp_path / "model.safetensors", tensors, {**facts, "run": "../../up"})
    assert ganzoo.load("model.safetensors").name == "..-..-up"
    assert "/" not in str(ganzoo.export("model.safetensors", "safetensors"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["pull", "s3://bucket/model"], "ganzoo cannot fetch from s3:// addresses; known: hf, http, https."),
        (["push", "RUN", "https://example.org/x"], "ganzoo cannot publish at https:// addresses; known: hf."),
        (["pull", "hf://tiny"], "hf://tiny is no model's address on the hub; write hf://USER/NAME"),
        (["push", "RUN", "hf://somebody/tiny@v1"], "A push makes a new revision by itself; leave out @v1."),
        (["push", "nowhere", "hf://somebody/tiny"], "nowhere is not a run folder"),
        (["pull", "hf://somebody/..bad.."], "hf://somebody/..bad.. is no model's address on the hub"),
        (["sample", "hf://tiny"], "hf://tiny is no model's address on the hub"),
    ],
)
def test_bad_addresses(hub, finished, words, sentence):
    line = refusal(cli(*(finished.path if word == "RUN" else word for word in words)))
    assert line.startswith(f"Error: {sentence}")


def test_a_run_without_a_model(train, hub):
    run = train("new")
    run.model_file.unlink()
    with pytest.raises(UsageError, match="has no model yet"):
        ganzoo.push(run, "hf://somebody/tiny")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("hf://you/faces", "faces"),
        ("hf://you/faces@v1.0", "faces"),
        ("https://example.org/a/faces.safetensors?download=1#sha256=00", "faces"),
        ("https://example.org/a/model.safetensors", "model"),
        ("models/faces.safetensors", "faces"),
    ],
)
def test_what_a_source_is_called(source, name):
    assert stem(source) == name


def test_a_translators_samples_are_its_newest_sheet(finished, tmp_path, monkeypatch):
    """They show images of the data set, so it can do without."""
    from ganzoo.model.model import Model

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Model, "domains", ("A", "B"))
    ganzoo.push(finished, "look")
    assert Path("look/samples.png").read_bytes() == (finished.path / "samples" / "epoch-0002.png").read_bytes()


def test_a_translators_page_says_what_it_takes_and_makes(finished):
    """Domains may differ in channels and size; without domains it translates to labels."""
    model = ganzoo.load(finished.model_file).header
    card = replace(architecture_of(finished.header, "the run").card, tasks={"translation"})

    def page(**changed) -> str:
        header = replace(model, data=replace(model.data, **changed))
        return model_card(Published("it", "it", card, finished.header, header, [], "", "", "0"))

    pairs = page(domains=("A", "B"), shapes={"A": (1, 8, 8), "B": (3, 16, 16)})
    assert "items of 1×8×8 (A) and 3×16×16 (B), of the tests" in pairs
    assert "ganzoo translate it IMAGE --to B\n" in pairs
    assert '.translate(images, "B")     # PIL images, or [n, 3, 16, 16]' in pairs
    assert "IMAGE --label Young=1,Male=0\n" in page(classes=(), label_names=("Young", "Male"))
    assert f"IMAGE --label {model.data.classes[0]}\n" in page()


def test_silence(hub, finished, capfd):
    """No progress bar where there is no terminal."""
    ganzoo.push(finished, "hf://somebody/tiny")
    ganzoo.pull("hf://somebody/tiny", "quiet.safetensors")
    assert capfd.readouterr() == ("", "")


ONE_FILE = """
from ganzoo.api import ArchitectureCard, hookimpl
from tinyzoo.model import TinyGAN

@hookimpl
def ganzoo_architectures():
    yield ArchitectureCard(name="single", title="Single", year=2020, paper="none", summary="For a test.",
               resolutions=(8,), licence="MIT", api=2, model=TinyGAN)
"""


def test_a_model_of_a_single_file_comes_without_its_code(hub, tmp_path, run_python):
    """Whoever uses it needs the file, and gives it by hand; the model says its name and hash, not where it lay."""
    secret = tmp_path / "secret" / "my_gan.py"
    secret.parent.mkdir()
    secret.write_text(ONE_FILE, encoding="utf-8")
    made = run_python(
        "import sys, ganzoo; from ganzoo.loop.display import Display\n"
        "options = dict(steps=1, samples=4, device='cpu', display=Display())\n"
        "ganzoo.train(sys.argv[1], 'tiny', out='run', **options)", secret,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    pushed = run_python("import ganzoo; ganzoo.push('run', 'look')")  # which the file was not given to
    assert pushed.returncode == 0, pushed.stderr
    assert {file.name for file in Path("look").iterdir()} == FILES
    assert not any(b"secret" in file.read_bytes() for file in Path("look").iterdir())
    facts = checkpoint.read_facts(Path("look/model.safetensors"))
    digest = hashlib.sha256(secret.read_bytes()).hexdigest()
    assert facts["plugin_files"] == [{"path": "my_gan.py", "sha256": digest, "offers": ["architecture single"]}]
    assert (facts["distribution"], facts["version"]) == ("my_gan.py", digest[:12])
    assert Run.open("run").facts["plugin_files"][0]["path"] == str(secret)
    assert "`my_gan.py`, the file of its architecture, given with `--plugin my_gan.py`" in Path(
        "look/README.md"
    ).read_text(encoding="utf-8")
    hub.put("somebody/single", {"model.safetensors": Path("look/model.safetensors").read_bytes()})
    assert fails("hf://somebody/single") == (
        "hf://somebody/single was made with my_gan.py, which is not there; say where it is: --plugin FILE."
    )
    used = run_python(
        "import sys, ganzoo; ganzoo.use_plugin(sys.argv[1])\n"
        "print(ganzoo.load('look/model.safetensors').sample(2).shape)",
        secret.rename(tmp_path / "theirs.py"),
    )
    assert used.stdout == "torch.Size([2, 3, 8, 8])\n", used.stderr
    device = {"path": "/dev/zero", "sha256": "0" * 64, "offers": []}
    tensors, facts = checkpoint.load(Path("look/model.safetensors"))
    checkpoint.save(Path("device.safetensors"), tensors, {**facts, "plugin_files": [device]})
    assert "which is not there" in fails("device.safetensors")


def test_a_published_model_is_scored(train, hub):
    ganzoo.push(train(resolution=16, steps=1), "hf://somebody/large")
    scores = ganzoo.evaluate("hf://somebody/large", ["swd:directions=8"], samples=16, device="cpu")
    assert {score["protocol"]["model"] for score in scores} == {"hf://somebody/large"}
