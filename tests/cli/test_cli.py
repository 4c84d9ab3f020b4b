"""The command line as a whole: help, errors, laziness, and the commands that look at the zoo."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import click
import pytest
from support.command_line import as_json, cli, refusal
from support.install import forget_files

import ganzoo
from ganzoo.cli.app import COMMANDS, app

FAULTY = """
from ganzoo.api import ArchitectureCard, TwoPlayer, TwoPlayerConfig, hookimpl
from torch import nn

@hookimpl
def ganzoo_architectures():
    yield ArchitectureCard(
        name="faulty", title="Faulty", year=2026, paper="none", summary="For the tests.", resolutions=(28,),
        licence="MIT", api=2, model="faulty_gan:Faulty",
    )

class Faulty(TwoPlayer):
    Config = TwoPlayerConfig

    def __init__(self, config, data):
        super().__init__(config, data)
        self.G, self.D = nn.Linear(config.latent_dim, 7), nn.Linear(8, 1)

    def discriminate(self, images, label=None):
        return self.D(images)
"""
MAIN = "import sys; sys.argv[0] = 'ganzoo'; from ganzoo.cli import main; main()"


def test_alone_it_shows_its_help() -> None:
    alone, asked = cli(), cli("--help")
    assert alone.exit_code == asked.exit_code == 0
    assert alone.stdout == asked.stdout
    assert all(f"  {name} " in alone.stdout for name in COMMANDS)
    assert cli("--version").stdout == f"ganzoo {ganzoo.__version__}\n"


@pytest.mark.parametrize(
    "words",
    [["--help"], ["list"], ["list", "--json"], ["plugins"], ["plugins", "--trace"], ["runs"], ["train", "--help"]],
)
def test_looking_around_imports_no_torch(run_python: Callable[..., CompletedProcess[str]], words: list[str]) -> None:
    end = "sys.exit([module for module in ('torch', 'numpy', 'PIL') if module in sys.modules] or 0)"
    done = run_python(f"try:\n {MAIN}\nexcept SystemExit: pass\n{end}", *words)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("dcgan nosuchdata", "There is no data set 'nosuchdata'"),
        ("dcgan anime --nosuch 3", "There is no option --nosuch."),
        ("dcgan anime --lrr 3", "There is no option --lrr; did you mean --lr?"),
        ("tinygan tiny --batch-size x", "--batch-size takes a whole number, not 'x'; its default is 64."),
        ("dcgan anime --preset smal", "dcgan has no preset 'smal'; did you mean small?"),
        ("tinygan tiny --epochs 2 --steps 3", "Give one of --epochs, --images and --steps, not several."),
        ("tinygan tiny --evaluate nosuch", "There is no metric 'nosuch'"),
        ("tinygan tiny --log nosuch", "There is no logger 'nosuch'"),
        ("tinygan tiny --device gpu0", "--device takes auto, cpu, cuda or mps"),
        ("stylegan anime --penalty nosuch", "There is no penalty 'nosuch'"),
        ("tiny tinygan", "The architecture comes first; type: ganzoo train tinygan tiny"),
    ],
)
def test_a_slip_is_refused_without_torch(
    run_python: Callable[..., CompletedProcess[str]], words: str, line: str
) -> None:
    done = run_python(f"try:\n {MAIN}\nfinally: print('torch' in sys.modules)", "train", *words.split())
    assert (done.returncode, done.stdout) == (2, "False\n")
    assert line in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["list"], ["plugins"]])
def test_looking_around_imports_no_rich(run_python: Callable[..., CompletedProcess[str]], words: list[str]) -> None:
    """It would take a third of the time."""
    done = run_python(f"try:\n {MAIN}\nexcept SystemExit: pass\nsys.exit('rich' in sys.modules)", *words)
    assert (done.returncode, done.stderr) == (0, "")


def test_python_dash_m(run_python: Callable[..., CompletedProcess[str]]) -> None:
    done = run_python("import runpy; runpy.run_module('ganzoo', run_name='__main__')", "list", "--losses")
    assert done.returncode == 0
    assert "hinge" in done.stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["lst"], "Error: There is no command 'lst'; did you mean list? See `ganzoo --help`."),
        (["list", "--jsn"], "Error: There is no option --jsn; did you mean --json"),
        (["list", "--task", "conditionl"], "did you mean conditional"),
        (["list", "--losses", "--task", "conditional"], "--task is for architectures"),
        (["show"], "Error: ARCH is missing. See `ganzoo show --help`."),
        (["show", "tinygn"], "Error: There is no architecture 'tinygn'; did you mean tinygan"),
        (["show", "tinygan", "--preset", "wider"], "has no preset 'wider'; did you mean wide?"),
        (["show", "tinygan", "--lr", "fast"], "--lr takes a number, not 'fast'"),
        (["show", "tinygan", "--resolution", "9"], "tinygan cannot do 9×9: sides must be even."),
        (["show", "tinygan", "--whidth", "3"], "There is no option --whidth; did you mean --width"),
        (["resume", "one", "two"], "Got unexpected extra argument (two). See `ganzoo resume --help`."),
        (["sample", "run", "-n", "many"], "'many' is not a valid integer"),
    ],
)
def test_bad_usage_is_one_line_and_2(words: list[str], line: str) -> None:
    assert line in refusal(cli(*words))


def test_a_fault_of_ganzoo_is_one_line_and_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> list[Any]:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr(ganzoo, "list_runs", fail, raising=False)
    line = refusal(cli("runs"), 1)
    assert line.startswith("Something went wrong that ganzoo did not expect: ZeroDivisionError: by zero. Run again")
    monkeypatch.setenv("GANZOO_DEBUG", "1")
    assert isinstance(cli("runs").exception, ZeroDivisionError)


def test_a_fault_of_a_plugin_names_the_plugin_and_its_line(tmp_path: Path) -> None:
    file = tmp_path / "faulty_gan.py"
    file.write_text(FAULTY)
    line = refusal(cli("train", file, "digits:images=64", "--steps", 1, "--out", tmp_path / "run"), 1)
    forget_files()
    assert line.startswith("Error: RuntimeError: mat1 and mat2 shapes cannot be multiplied (")
    assert f", in faulty_gan.py, line 20 of the plugin {file}. GANZOO_DEBUG=1 shows the way there." in line


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> list[Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(ganzoo, "list_runs", stop, raising=False)
    result = cli("runs")
    assert result.exit_code == 130
    assert result.stderr.strip() == "Stopped."


def test_a_reader_that_goes_away_is_no_error(run_python: Callable[..., CompletedProcess[str]]) -> None:
    code = "import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 1); " + MAIN
    for words in (["list"], ["--help"], ["list", "--json"]):
        assert run_python(code, *words).stderr == ""


def test_list() -> None:
    rows = {row["name"]: row for row in as_json(cli("list", "--json"))}
    assert {"name", "title", "year", "tasks", "distribution", "version", "status", "reason"} <= set(rows["tinygan"])
    assert rows["tinygan"]["distribution"] == "ganzoo-tiny"
    assert rows["tinygan"]["tasks"] == ["unconditional"]
    assert (rows["tinygan"]["status"], rows["tinygan"]["reason"]) == ("ok", None)
    table = cli("list").stdout
    assert "tinygan" in table
    assert "ganzoo-tiny 1.0" not in table  # `ganzoo plugins` says where it comes from
    assert rows["lsgan"]["best"] == "90.1 % confident (MNIST)"
    assert "90.1 % confident" in next(line for line in table.splitlines() if line.startswith(" lsgan"))


def test_list_of_what_fits_some_data() -> None:
    def names(*words: str) -> set[str]:
        return {row["name"] for row in as_json(cli("list", "--json", *words))}

    assert "cyclegan" in names("--data", "anime-hair")
    assert "dcgan" not in names("--data", "anime-hair")
    assert "dcgan" in names("--data", "digits")
    assert "cgan" in names("--data", "digits")
    assert "dcgan" not in names("--data", "tiny")  # too few
    assert "dcgan" not in names("--data", "300")  # it was seen to learn from 6,144
    assert "dcgan" in names("--data", "7000")
    assert "cyclegan" in names("--data", "1000", "--task", "translation")
    assert "gumbelgan" in names("--data", "words")
    assert {"dcgan", "gan", "wavegan"}.isdisjoint(names("--data", "words")), "they make no text"
    assert {"gumbelgan", "wavegan", "ctgan", "vgan"}.isdisjoint(names("--data", "digits"))
    nothing = cli("list", "--data", "digits", "--task", "translation").stdout
    assert nothing.startswith("No installed plugin has an architecture for translation that takes digits.")


def test_list_of_a_task() -> None:
    assert "tinygan" in cli("list", "--task", "unconditional").stdout
    assert "tinygan" not in cli("list", "--task", "translation").stdout
    tasks = [row["tasks"] for row in as_json(cli("list", "--task", "translation", "--json"))]
    assert tasks
    assert all("translation" in each for each in tasks)


@pytest.mark.parametrize(("kind", "name"), [("losses", "hinge"), ("penalties", "r1"), ("recipes", "report-anime")])
def test_list_of_other_things(kind: str, name: str) -> None:
    assert name in {row["name"] for row in as_json(cli("list", f"--{kind}", "--json"))}
    assert name in cli("list", f"--{kind}").stdout


def test_show() -> None:
    facts = as_json(cli("show", "dcgan", "--json"))
    assert facts["parameters"] == {"G": 3_576_704, "D": 2_765_568}
    options = {row["name"]: row for row in facts["options"]}
    assert {"name", "type", "default", "help"} <= set(options["lr"])
    assert options["lr"]["default"] == 5e-4
    assert options["batch_size"]["default"] == 16
    assert {"report-anime", "report-digits", "report-digits-each"} <= {row["name"] for row in facts["recipes"]}
    text = cli("show", "dcgan").stdout
    assert "3,576,704" in text
    assert "--width-g" in text
    assert "report-anime" in text


def test_a_preset_is_a_sentence_and_what_one_would_type_in_its_place(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = cli("show", "dcgan").stdout.splitlines()
    [at] = [number for number, line in enumerate(lines) if line.startswith("  small: ")]
    below = list(itertools.takewhile(lambda line: line.startswith("      "), lines[at + 1 :]))
    assert len(below) > 1
    assert all(line.startswith("      --") and len(line) <= 80 for line in below), "no option is torn from its value"
    assert "--penalty '' --lr 0.0002" in " ".join(below)


def test_show_with_options_and_preset() -> None:
    def width(*words: str) -> tuple[int, int]:
        facts = as_json(cli("show", "tinygan", "--json", *words))
        [row] = [row for row in facts["options"] if row["name"] == "width"]
        assert row["default"] == 4
        return row["value"], facts["parameters"]["D"]

    plain, wide = width(), width("--preset", "wide")
    assert (plain[0], wide[0]) == (4, 8)
    assert wide[1] > plain[1]
    assert width("--preset", "wide", "--width", "4") == plain
    assert width("--resolution", "16")[1] > plain[1]
    assert [row["name"] for row in as_json(cli("show", "tinygan", "--json"))["presets"]] == ["wide"]
    assert "8*" in cli("show", "tinygan", "--preset", "wide").stdout


def test_plugins() -> None:
    rows = {row["name"]: row for row in as_json(cli("plugins", "--json"))}
    assert rows["tiny"]["module"] == "tinyzoo"
    assert rows["tiny"]["hooks"] == ["ganzoo_architectures", "ganzoo_datasets", "ganzoo_loggers"]
    assert {"kind": "architecture", "name": "tinygan"} in rows["tiny"]["offers"]
    assert rows["tiny"]["reason"] is None
    assert "ganzoo_architectures: tinygan, faultygan; ganzoo_datasets: tiny" in " ".join(cli("plugins").stdout.split())


@pytest.mark.parametrize("words", [["list"], ["plugins"], ["show", "tinygan"], ["data", "list"], ["doctor"]])
def test_tables_fit_into_80_columns_without_colours(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    text = cli(*words).stdout
    assert max(map(len, text.splitlines()), default=0) <= 80 or words == ["show", "tinygan"]
    assert "\x1b[3" not in text


def test_doctor() -> None:
    found = as_json(cli("doctor", "--json"))
    checks = {check["name"]: check for check in found["checks"]}
    assert found["ok"] is True
    assert {"ganzoo", "python", "torch", "torchvision", "cpu", "bf16", "cores", "memory", "disk"} <= set(checks)
    assert "terminal" in checks
    assert "tiny" in checks["plugins"]["found"]
    assert "Everything that ganzoo needs is there." in cli("doctor").stdout


def test_doctor_with_something_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    real = importlib.import_module

    def without_torchvision(name: str, *rest: Any) -> Any:
        if name == "torchvision":
            raise ImportError("No module named 'torchvision'")
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without_torchvision)
    result = cli("doctor")
    assert result.exit_code == 1
    assert "torchvision: type: pip install --force-reinstall torch torchvision" in result.stdout
    assert "Something that ganzoo needs is broken." in result.stdout


def test_every_command_has_help() -> None:
    for name, (_, _, summary) in COMMANDS.items():
        command = app.get_command(click.Context(app), name)
        assert command is not None
        assert command.name == name
        assert (command.help or "").splitlines()[0] == summary
