"""`ganzoo train`, `resume`, `extend`, `sample` and `runs`, with the zoo of the tests."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import HERE, SITE
from PIL import Image
from support.command_line import as_json, cli, refusal

TRAIN = ("train", "tinygan", "tiny", "--device", "cpu", "--samples", "4")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(finished: object, tmp_path: Path) -> str:
    """A copy of a finished run."""
    shutil.copytree(finished.path, tmp_path / "run")  # type: ignore[attr-defined]
    return "run"


def test_train_and_what_it_leaves() -> None:
    result = cli(*TRAIN, "--steps", "2", "--lr", "1e-3", "--no-flip", "--preset", "wide")
    assert result.exit_code == 0, result.output
    assert "[0/1][0/3] Loss_D: " in result.stdout
    said, *commands = result.stdout.splitlines()[-4:]
    run = Path("runs/tinygan-tiny-1")
    assert said == "What you can do now:"
    assert commands == [
        f"  ganzoo {line}" for line in (f"sample {run} --seed 1", f"interpolate {run}", f"extend {run} --steps 2")
    ]
    assert cli(*shlex.split(commands[0])[1:]).exit_code == 0
    facts = json.loads(Path("runs/tinygan-tiny-1/run.json").read_text(encoding="utf-8"))
    assert (facts["config"]["lr"], facts["config"]["width"], facts["settings"]["flip"]) == (1e-3, 8, False)
    [row] = as_json(cli("runs", "--json"))
    assert {"run", "architecture", "data", "images", "status"} <= set(row)
    assert (row["run"], row["images"], row["status"]) == (str(Path("runs/tinygan-tiny-1")), 32, "finished")
    assert "tinygan-tiny-1" in cli("runs").stdout


def test_resume_extend_and_continue(run: str) -> None:
    assert "run is finished" in cli("resume", run).stdout
    result = cli("extend", run, "--steps", "2", "--lr", "1e-4")
    assert result.exit_code == 0, result.output
    assert "Stage 2 of 2: 2 steps, lr 1e-4." in result.stdout
    assert "run is finished" in cli(*TRAIN, "--continue", "--out", run).stdout
    assert as_json(cli("runs", ".", "--json"))[0]["steps"] == 8


def test_a_recipe() -> None:
    text = 'architecture = "tinygan"\ndata = "tiny"\n[options]\nsamples = 4\n' + 2 * "[[stages]]\nsteps = 1\n"
    Path("mine.toml").write_text(text, encoding="utf-8")
    result = cli("train", "--recipe", "mine.toml", "--width", "3", "--out", "mine", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "Stage 2 of 2" in result.stdout
    assert cli("train", "tinygan", "--recipe", "mine.toml", "--dry-run").exit_code == 0


def test_weights_of_another_run(run: str) -> None:
    assert cli(*TRAIN, "--steps", "1", "--init", run, "--out", "next").exit_code == 0
    assert "do not fit" in refusal(cli(*TRAIN, "--steps", "1", "--init", run, "--width", "9", "--out", "no"))
    Path("foreign.safetensors").write_bytes(b"no tensors")
    for wrong in ("foreign.safetensors", "nowhere", "."):
        refusal(cli(*TRAIN, "--steps", "1", "--init", wrong, "--out", "no"))
        refusal(cli("plan", *TRAIN[1:], "--steps", "1", "--init", wrong))
    assert not Path("no").exists()


def test_dry_run_writes_nothing() -> None:
    result = cli(*TRAIN, "--epochs", "2", "--dry-run")
    assert result.exit_code == 0, result.output
    rows = dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if line[:1].islower())
    assert rows["steps"] == "6"
    assert rows["parameters"].startswith("G ")
    assert rows["folder"] == str(Path("runs/tinygan-tiny-1"))
    assert rows["memory"].startswith("about 0.")
    assert list(Path().iterdir()) == []


def test_dry_run_says_that_it_times(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Timing" not in cli(*TRAIN, "--steps", "20", "--dry-run").output, "too short to be timed"
    text = cli("plan", *TRAIN[1:], "--steps", "1234").output
    assert "Timing a few steps, for about 10 seconds at the most …\n" in text
    assert "stage 1       1,234 steps\n" in text, "as every other number of the page"
    monkeypatch.setattr("ganzoo.training.fit.LONG", 0)
    said = cli(*TRAIN, "--steps", "21", "--dry-run").output
    assert "Timing a few steps of each preset, for about 2 seconds each …\n" in said, "of what takes long"
    assert "Timing" not in cli(*TRAIN, "--steps", "21", "--dry-run", "--json").output


def test_dry_run_packs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    for there in ("", ", there already"):
        result = cli(*TRAIN, "--dry-run")
        shown = " ".join(result.stdout.split())  # on one line, however narrow
        assert f" disk 1 MB of pixels in {tmp_path / 'home' / 'packs'}{there} run's disk " in shown
        assert bool(list(tmp_path.glob("home/packs/*"))) == bool(there)
        cli(*TRAIN, "--steps", "1")


def test_help_has_the_options_of_the_architecture(run: str) -> None:
    for words in (
        ["train", "tinygan"],
        ["train", "--lr", "3", "tinygan", "tiny"],
        ["show", "tinygan"],
        ["extend", run],
    ):
        text = cli(*words, "--help").stdout
        own, _, core = text.partition("Length:")
        assert "Options of TinyGAN:" in own
        assert "--width INT" in own
        assert "--batch-size INT" in core
        assert ("--seed" in core) == (words[0] != "extend")
    general = cli("train", "--help").stdout
    assert "--width" not in general
    assert "--batch-size INT" in general
    assert "`ganzoo train ARCH --help`" in general


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["train"], "Say an architecture and a data set"),
        (["train", "tinygan"], "Say an architecture and a data set"),
        (["train", "tinygna", "tiny"], "did you mean tinygan"),
        (["train", "tinygan", "tiney"], "There is no data set 'tiney'; did you mean tiny"),
        ([*TRAIN, "--wdth", "3"], "There is no option --wdth; did you mean --width"),
        ([*TRAIN, "--lr", "-1"], "--lr -1 is too small; it takes 0 or more."),
        ([*TRAIN, "--lr", "nan"], "--lr takes a number, not 'nan'"),
        ([*TRAIN, "--beta1", "7"], "--beta1 7 is too large"),
        ([*TRAIN, "--epochs", "0"], "--epochs 0 is too small"),
        ([*TRAIN, "--epochs", "1", "--steps", "1"], "Give one of --epochs, --images and --steps"),
        ([*TRAIN, "--batch-size", "999999999999"], "is larger than tiny, which has 48; use --batch-size 48 or less."),
        ([*TRAIN, "--resolution", "9"], "tinygan cannot do 9×9"),
        ([*TRAIN, "--resolution", "x"], "--resolution takes a number or HEIGHTxWIDTH"),
        ([*TRAIN, "--channels", "2"], "--channels 2 is not possible"),
        ([*TRAIN, "--loss", "hing", "--steps", "1"], "did you mean hinge"),
        ([*TRAIN, "--width", "300000000", "--steps", "1"], "Training needs about"),
        ([*TRAIN, "--preset", "wider"], "has no preset 'wider'"),
        (["train", "tinygan", "tiny", "--device", "gpu"], "--device takes auto, cpu, cuda or mps, not 'gpu'"),
        (["train", "--recipe", "nothing"], "There is no recipe 'nothing'"),
        (["train", "--recipe", "nothing.toml"], "The recipe nothing.toml cannot be read"),
        (["train", "dcgan", "--recipe", "report-anime", "tiny", "more"], "unexpected extra argument (more)"),
        (["resume", "nothing"], "nothing is not a run folder; `ganzoo runs` lists those there are."),
        (["extend", "nothing", "--epochs", "1"], "nothing is not a run folder"),
        (["sample", "nothing"], "There is no run or model nothing"),
    ],
)
def test_bad_usage(words: list[str], line: str) -> None:
    assert line in refusal(cli(*words))
    assert not Path("runs").exists()


@pytest.mark.skipif("__import__('torch').cuda.is_available()", reason="there is CUDA here")
def test_no_cuda() -> None:
    line = refusal(cli("train", "tinygan", "tiny", "--device", "cuda"))
    assert line == "Error: There is no cuda device here (there is: cpu); `ganzoo doctor` says why."


def test_bad_usage_of_a_run(run: str) -> None:
    before = (Path(run) / "run.json").read_bytes()
    for words, line in (
        (["extend", run], "Say how far a stage goes, by one of --epochs, --images and --steps."),
        (["extend", run, "--steps", "1", "--seed", "3"], "--seed cannot change within a run"),
        (["extend", run, "--steps", "1", "--lr", "x"], "--lr takes a number"),
        ([*TRAIN, "--out", run], "run already exists; choose another --out, or add --continue"),
        (["sample", run, "-n", "0"], "At least one image can be sampled"),
        (["sample", run, "--label", "odd"], "was trained without labels"),
        (["sample", run, "--truncation", "0.5"], "has no truncation"),
        (["sample", run, "--columns", "0"], "--columns 0 is too small"),
        (["sample", run, "--device", "gpu"], "There is no gpu device here"),
        (["sample", run, "-o", "x.gif"], "-o takes a .png, .jpg, .jpeg, .webp or .npy file or a folder, not x.gif."),
    ):
        assert line in refusal(cli(*words))
    assert (Path(run) / "run.json").read_bytes() == before


def test_a_score_that_there_is_not_is_said_before_the_model_is_made(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganzoo.evaluate", lambda *_, **__: pytest.fail("the model is made"), raising=False)
    for source in (run, Path(run) / "model.safetensors", "hf://somebody/gan"):
        assert "There is no metric 'nope'" in refusal(cli("evaluate", source, "--metric", "nope"))


@pytest.mark.parametrize("out", ["runs/a\nb", "a\r.png", "\x1b[31m.png"])
def test_a_line_break_in_a_file_that_is_to_be_written_is_refused(run: str, out: str) -> None:
    for words in (["train", "tinygan", "tiny", "--out", out], ["sample", run, "-o", out]):
        assert "has a line break or the like; choose another -o or --out" in refusal(cli(*words))


def test_a_run_is_no_source_of_images(run: str) -> None:
    assert f"{run} is a run; `ganzoo sample {run} -n 100 -o FOLDER/`" in refusal(cli("data", "add", "x", run))


def test_out_that_cannot_be_written(run: str) -> None:
    Path("file").write_text("", encoding="utf-8")
    assert "cannot be written" in refusal(cli(*TRAIN, "--steps", "1", "--out", "file/run"))
    assert "cannot be written" in refusal(cli("sample", run, "-o", "file/grid.png"), 1)


def test_a_damaged_checkpoint(run: str) -> None:
    [*_, newest] = sorted((Path(run) / "checkpoints").iterdir())
    content = newest.read_bytes()
    for damaged in (content[: len(content) // 2], content[:-1] + bytes([content[-1] ^ 1])):
        newest.write_bytes(damaged)
        assert "is damaged" in refusal(cli("extend", run, "--steps", "1"), 1)
    model = Path(run) / "model.safetensors"
    model.write_bytes(model.read_bytes()[:100])
    assert "is damaged" in refusal(cli("sample", run), 1)


def test_a_loss_that_becomes_nan() -> None:
    line = refusal(cli("train", "faultygan", "tiny", "--steps", "9", "--device", "cpu", "--samples", "4"), 1)
    assert line.startswith("Error: A loss or a weight became NaN or infinite")


def test_an_architecture_that_is_not_installed(run: str) -> None:
    file = Path(run) / "run.json"
    facts = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**facts, "architecture": "fargan", "distribution": "ganzoo-far"}), encoding="utf-8")
    line = refusal(cli("resume", run) if facts["status"] != "finished" else cli("extend", run, "--steps", "1"), 1)
    assert "which is not installed; install it: pip install 'ganzoo-far==1.0'" in line


def test_sample(run: str) -> None:
    result = cli("sample", run, "-n", "5", "--show", "--columns", "5")
    file = Path(run) / "samples" / "seed-0.png"
    assert result.stdout.startswith(f"5 images are in {file}\n")
    assert "▀" in result.stdout
    with Image.open(file) as picture:
        assert (picture.width, picture.height > 16 * 12) == (16 * (5 * 10 + 2), True)  # 8 pixels, 16 times; a caption
        assert (picture.info["seed"], picture.info["command"]) == ("0", "ganzoo sample run --number 5 --columns 5")
    cli("sample", Path(run) / "model.safetensors", "-n", "4", "--seed", "3")
    assert Path("run-samples-seed-3.png").exists()
    assert cli("sample", run, "-n", "3", "-o", "each").exit_code == 0
    assert [path.name for path in sorted(Path("each").iterdir())] == ["0001.png", "0002.png", "0003.png"]
    with Image.open("each/0001.png") as picture:
        assert picture.size == (8, 8)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a child")
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    path = os.pathsep.join(map(str, (SITE, HERE)))
    words = [*TRAIN, "--epochs", "100000", "--out", "stopped"]
    child = subprocess.Popen(
        [sys.executable, "-m", "ganzoo", *words],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("[0/"):
            break
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=600)
    assert (child.returncode, err) == (130, "")
    assert out.splitlines()[-1] == "Stopped. Go on with: ganzoo resume stopped"
    assert as_json(cli("runs", ".", "--json"))[0]["status"] == "interrupted"


def test_runs_of_a_folder_that_is_not_there(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "There is no folder runz; `ganzoo runs` lists the runs in runs." in refusal(cli("runs", "runz"))
    assert "There are no runs in runs" in cli("runs").stdout, "of somebody who has not trained yet"


def test_what_is_too_long_or_too_much_to_write_is_refused(run: str) -> None:
    assert "is longer than a file's name can be here" in refusal(
        cli("sample", run, "-n", "1", "-o", "a" * 300 + ".png")
    )
    assert "make fewer with -n" in refusal(cli("sample", run, "-n", str(10**12), "-o", "x.npy"))
