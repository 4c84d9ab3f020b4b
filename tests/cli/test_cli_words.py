"""What people type who come from elsewhere: other programs' options, names in capitals, words in the wrong order."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from ganzoo.catalogue.catalogue import entries, find
from ganzoo.cli.app import app
from ganzoo.contract.options import options
from ganzoo.contract.settings import GROUP_OF, GROUPS, Settings
from ganzoo.errors import near, suggest


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def planned(*words: str) -> Result:
    found = run("train", "dcgan", "digits:images=256", "--dry-run", "--resolution", "32", *words)
    assert found.exit_code == 0, found.output
    return found


@pytest.mark.parametrize(
    ("words", "here"),
    [
        (("--batch", "16"), "--batch is --batch-size 16 here."),
        (("--kimg", "0.128"), "--kimg is --images 128 here."),
        (("--learning-rate=1e-3",), "--learning-rate is --lr 1e-3 here."),
        (("--iterations", "3"), "--iterations is --steps 3 here."),
        (("--nz", "8"), "--nz is --latent-dim 8 here."),
    ],
)
def test_an_option_of_another_program_is_taken_and_its_name_said(words: tuple[str, ...], here: str) -> None:
    assert here in planned(*words).output


def test_a_file_that_is_the_architecture_may_offer_the_data_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))
    card = (
        'DatasetCard(name="own-points", summary="Points.", origin="drawn", api=2, dataset="ganzoo_drawn.points:Points")'
    )
    gan = 'name="own-gan", dimensions=(2,), resolutions=(), licence="MIT", api=2'
    gan += ', title="T", year=2014, paper="P", summary="S."'
    (tmp_path / "own.py").write_text(
        "from ganzoo.api import ArchitectureCard, DatasetCard, hookimpl\n\n"
        f"@hookimpl\ndef ganzoo_datasets():\n    yield {card}\n\n"
        f'@hookimpl\ndef ganzoo_architectures():\n    yield ArchitectureCard({gan}, model="ganzoo_gan.model:GAN")\n'
    )
    found = run("train", str(tmp_path / "own.py"), "own-points", "--preset", "points", "--dry-run")
    assert found.exit_code == 0, found.output


def test_an_option_may_be_typed_with_underscores() -> None:
    assert "batch         16 images" in planned("--batch_size", "16").output


def test_gpu_is_the_device_and_takes_no_word_with_it() -> None:
    found = run("train", "--gpu", "dcgan", "digits:images=64", "--dry-run")
    assert "--gpu is --device cuda here." in found.output
    assert "There is no architecture" not in found.output


def test_what_is_no_number_is_refused_by_the_option_that_is_meant() -> None:
    found = run("train", "dcgan", "digits:images=64", "--kimg", "many")
    assert found.exit_code == 2
    assert "--images takes a whole number or none, not 'many'" in found.output


@pytest.mark.parametrize(
    ("kind", "typed", "name"),
    [
        ("loss", "mse", "lsgan"),
        ("loss", "BCE", "nonsaturating"),
        ("penalty", "gp", "wgan-gp"),
        ("augmentation", "DiffAugment", "diffaug"),
        ("architecture", "DCGAN", "dcgan"),
    ],
)
def test_the_fields_words_name_what_they_mean(kind: str, typed: str, name: str) -> None:
    assert find(kind, typed).name == name


def test_a_run_says_the_name_that_the_catalogue_has(tmp_path: Path) -> None:
    words = ("--loss", "mse", "--penalty", "gp:weight=1+drift", "--steps", "1", "--batch-size", "4")
    found = run("train", "DCGAN", "digits:images=64", "--resolution", "32", *words, "--out", str(tmp_path / "run"))
    assert found.exit_code == 0, found.output
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["architecture"] == "dcgan"
    assert (facts["config"]["loss"], facts["config"]["penalty"]) == ("lsgan", "wgan-gp:weight=1+drift")


def test_words_in_the_wrong_order_are_put_right() -> None:
    found = run("train", "anime", "dcgan")
    assert found.exit_code == 2
    assert "The architecture comes first; type: ganzoo train dcgan anime" in found.output


def test_only_near_names_are_offered() -> None:
    assert suggest("learning-rate", ["evaluate", "lr"]) == "known: evaluate, lr."
    assert suggest("dcgn", ["dcgan", "gan"]) == "did you mean dcgan?"
    assert "did you mean" not in run("train", "dcgan", "anime", "--lernrate", "1").output
    assert "did you mean --epochs?" in run("train", "dcgan", "anime", "--epoch", "1").output


def test_help_and_version_in_their_usual_other_forms() -> None:
    assert run("help").output == run("--help").output
    assert run("help", "train").output == run("train", "--help").output
    assert run("-v").output == run("--version").output


def test_resume_without_a_run_names_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "There is none in runs/." in run("resume").output
    for name in ("older", "newer"):
        Path("runs", name).mkdir(parents=True)
        Path("runs", name, "run.json").write_text("{}")
    found = run("resume")
    assert found.exit_code == 2
    assert f"ganzoo resume {Path('runs/newer')}" in found.output


def test_no_option_of_the_trainer_stands_under_two_headings() -> None:
    assert set(GROUP_OF) < set(options(Settings))
    assert len(GROUP_OF) == sum(map(len, GROUPS.values()))


def test_a_default_is_said_once() -> None:
    for architecture in ("cyclegan", "dcgan"):
        lines = " ".join(run("train", architecture, "--help").output.split())
        epochs = lines[lines.index("--epochs INT") :][:120]
        assert epochs.count("efault") == 1, epochs


def test_torchrun_takes_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    words = ["gan", "points:images=64", "--preset", "points", "--steps", "1", "--out", str(tmp_path / "run")]
    found = run("train", *words, "--seeds", "2")
    assert found.exit_code == 2
    assert "torchrun trains one run" in found.output
    assert not (tmp_path / "run").exists()


def test_every_command_takes_the_same_seeds() -> None:
    asked = [
        (name, command) for name in app.list_commands(click.Context(app))
        if (command := app.get_command(click.Context(app), name)) and "seed" in [p.name for p in command.params]
    ]  # fmt: skip
    assert {"sample", "interpolate", "project", "mix", "translate", "evaluate", "probe", "verdict"} <= {
        n for n, _ in asked
    }
    for name, command in asked:
        words = ["x" for param in command.params if isinstance(param, click.Argument) for _ in range(abs(param.nargs))]
        for seed, why in (("-1", "is too small; it takes 0 or more"), (str(2**63), "is too large")):
            found = run(name, *words, "--seed", seed)
            assert (found.exit_code, f"--seed {seed} {why}" in found.stderr) == (2, True), (name, found.output)


def test_every_drawn_set_takes_seeds_from_0_on() -> None:
    for entry in entries("dataset"):
        if "seed" in (known := options(entry.load())):
            assert known["seed"].low == 0, entry.name


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("resume", "hf://me/faces"), "hf://me/faces is an address, where only models are, and this takes a run"),
        (("animate", "https://example.org/x"), "https://example.org/x is an address, where only models are"),
        (
            ("resume", "x", "--steps", "5"),
            "A run is resumed as it was; `ganzoo extend RUN` trains one further with other",
        ),
        (("resume", "x", "--devise", "cpu"), "did you mean --device?"),
        (("export", "x", "-o", "x.onnxx"), "or give -o the ending .safetensors or .pt2 or .onnx."),
        (("pull", "nothing"), "There is no model nothing; give hf://USER/NAME, a URL, a file or a run's folder."),
        (("train", "--recipe", "notes.txt"), "notes.txt is a file, but no TOML file as recipes are"),
        (("train", "--recipe", "https://x/y.toml"), "; give a TOML file here."),
        (("import", "nothing", "--as", "stylegan2"), "There is no file nothing; give a .pkl, .pt, .pth or"),
    ],
)
def test_a_word_of_another_kind_is_answered(
    words: tuple[str, ...], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("hello")
    found = run(*words)
    assert (found.exit_code, line in found.stderr) == (2, True), found.output


def test_a_refusal_comes_without_notes_before_it() -> None:
    found = run("train", "dcgan", "digits:images=64", "--init", "nothing", "--steps", "1")
    assert found.output == "Error: There is no run or model nothing; `ganzoo runs` lists the runs.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train dcgan digits --resume runs/one", "There is no option --resume here. `ganzoo resume RUN` goes on"),
        ("train --config settings.yaml", "There is no option --config here. --recipe FILE.toml takes options"),
        ("train dcgan digits --num-workers 4", "Data is packed once, and then read without workers."),
        ("train cgan digits --label 3", "`ganzoo train --class LABEL` trains on one label alone"),
        ("generate one", "There is no command 'generate'; did you mean sample?"),
        ("eval one", "There is no command 'eval'; did you mean evaluate?"),
        ("ls", "There is no command 'ls'; did you mean list?"),
        ("version", "There is no command 'version'; did you mean --version?"),
        ("data rm one", "There is no command 'rm'; did you mean remove?"),
        ("data generate", "There is no command 'generate'; known: add"),
    ],
)
def test_words_of_other_programs_lead_to_ours(words: str, said: str) -> None:
    assert said in run(*words.split()).output


def test_amp_is_bf16_and_a_name_in_capitals_is_the_same_data_set() -> None:
    found = run("train", "dcgan", "Digits:images=64", "--amp", "--dry-run", "--json")
    assert "--amp is --precision bf16 here." in found.stderr
    facts = json.loads(found.stdout)
    assert (facts["data"], facts["precision"]) == ("digits:images=64", "bf16")


def test_no_far_guess() -> None:
    assert near("resume", ["--preset", "--recipe"]) == []
    assert near("eval", ["evaluate", "verdict"]) == ["evaluate"]
    assert near("--epoch", ["--epochs", "--every"]) == ["--epochs"]
