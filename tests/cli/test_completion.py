"""What a shell offers after Tab, and the scripts that ask for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ganzoo.cli import completion
from ganzoo.cli.app import app
from ganzoo.cli.output import table


def offered(*words):
    return [value for value, _ in completion.complete(app, words[:-1], words[-1])]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("tr",), {"train", "translate"}),
        (("data", "sh"), {"show"}),
        (("train", "dcg"), {"dcgan"}),
        (("train", "dcgan", "anime-h"), {"anime-hair"}),
        (("train", "dcgan", "anime", "--loss", "ls"), {"lsgan"}),
        (("train", "dcgan", "anime", "--device", ""), {"auto", "cpu", "cuda", "mps"}),
        (("train", "--lr", "1e-3", "dcg"), {"dcgan"}),
        (("train", "dcgan", "anime", "--beta"), {"--beta1", "--beta2"}),
        (("evaluate", "--metric", "sw"), {"swd"}),
        (("train", "dcgan", "anime", "one too many"), set()),
        (("nothing", ""), set()),
    ],
)
def test_what_is_offered(words, expected):
    assert set(offered(*words)) == expected


def test_presets_and_options_are_read_from_the_source():
    from ganzoo_stylegan2.model import StyleGAN2

    presets = set(offered("train", "stylegan2", "anime", "--preset", ""))
    assert {"small", "cifar", "config-f"} <= presets <= set(StyleGAN2.presets)
    assert {"--channel-max", "--epochs"} <= set(offered("train", "stylegan2", "--"))


def test_runs_are_offered_the_newest_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for age, name in enumerate(("new", "old")):
        file = Path("runs") / name / "run.json"
        file.parent.mkdir(parents=True)
        file.write_text("not even read")
        os.utime(file, (1e9 - age, 1e9 - age))
    assert offered("sample", "") == [str(Path("runs/new")), str(Path("runs/old"))]


HEAVY = """
import sys
from ganzoo.cli.app import app
from ganzoo.cli.completion import complete
for words in ("train", "train dcgan", "train dcgan anime --preset", "sample", "evaluate --metric"):
    list(complete(app, words.split(), ""))
print("torch" in sys.modules, "rich" in sys.modules)
"""


def test_nothing_heavy_is_imported(run_python):
    assert run_python(HEAVY).stdout.split() == ["False", "False"]


def test_a_shell_asks(monkeypatch, capsys):
    for kind, line in (("plain", "list"), ("tab", "list\tList the architectures"), ("zsh", "list:List the")):
        monkeypatch.setenv(completion.ASKED, kind)
        completion.answer(app, ["lis"])
        assert capsys.readouterr().out.startswith(line)
    monkeypatch.setenv(completion.WORD, "lis")
    completion.answer(app, [])
    assert capsys.readouterr().out.startswith("list:")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_installing_twice_is_installing_once(shell, tmp_path, monkeypatch):
    for name in ("XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "zoo"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    (tmp_path / ".bashrc").write_text("mine")  # without an end of line
    for _ in range(2):
        done = CliRunner().invoke(app, ["--install-completion", shell])
        assert done.exit_code == 0, done.output
    script = Path(done.output.split("the script is ")[1].strip())
    assert script.read_text() == completion.SCRIPTS[shell]
    started = {"bash": ".bashrc", "zsh": ".zshrc", "powershell": ".config/powershell/profile.ps1"}.get(shell)
    if started and os.name != "nt":
        lines = (tmp_path / started).read_text().splitlines()
        assert sum(str(script) in line for line in lines) == 1
        assert shell != "bash" or lines[0] == "mine"


def test_an_unknown_shell(monkeypatch):
    done = CliRunner().invoke(app, ["--install-completion", "csh"])
    assert (done.exit_code, "say one: bash, zsh, fish, powershell" in done.output) == (2, True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_asks_ganzoo(tmp_path):
    (tmp_path / "ganzoo").write_text(f'#!/bin/sh\nexec {sys.executable} -m ganzoo "$@"\n')
    (tmp_path / "ganzoo").chmod(0o755)
    code = (
        completion.SCRIPTS["bash"]
        + "COMP_WORDS=(ganzoo train dcg); COMP_CWORD=2; _ganzoo_complete; echo ${COMPREPLY[@]}"
    )
    here = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", code], env=here, capture_output=True, text=True, timeout=60)
    assert done.stdout == "dcgan\n"


def test_tables_are_plain_rows_in_a_pipe(capfd, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    table(("a", "b c"), [("1", "two\nlines"), ("x", None)]).print()
    assert capfd.readouterr().out == "a\tb c\n1\ttwo lines\nx\t\n"
