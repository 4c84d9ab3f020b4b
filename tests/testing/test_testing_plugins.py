"""The checks of a module as a whole, of what hears of runs, and `ganzoo plugins check`, which runs all of them: each
broken plugin, installed for the test, fails the one check that says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.strangers import CARD, YIELDS

from ganzoo.cli.app import app
from ganzoo.testing import CheckFailed, checks
from ganzoo.testing.check import Outcome
from ganzoo.testing.kinds import imports, loggers

pytestmark = pytest.mark.usefixtures("own_catalogue")


@pytest.fixture(autouse=True)
def anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of the test's, and what was found of a module of this name in another test is forgotten."""
    monkeypatch.chdir(tmp_path)
    imports._loaded.cache_clear()
    loggers._heard.cache_clear()


LOSS = """
from dataclasses import dataclass

from ganzoo.api import LossCard, hookimpl


def loss():
    from ganzoo.gan.losses import Wasserstein

    @dataclass(frozen=True)
    class Mine(Wasserstein):
        def generator(self, fake, real=None):
            return fake.float().mean()

    return Mine


@hookimpl
def ganzoo_losses():
    yield LossCard(name="mine", summary="For the tests.", api=2, loss="{module}:Mine")


def __getattr__(name):
    if name == "Mine":
        return loss()
    raise AttributeError(name)
"""


def outcomes(*kinds: str) -> dict[str, Outcome]:
    """What comes of the checks of these kinds of the plugin that `install` installed."""
    return {check.name: check.outcome() for check in checks("stranger") if check.kind in kinds}


def failures(*kinds: str) -> dict[str, str]:
    return {name: outcome.message for name, outcome in outcomes(*kinds).items() if outcome.word == "failed"}


# ---- the module ------------------------------------------------------------------------------------------------------

LOADS = "loads"
TORCH, NETWORK, WRITING, PRINTING = (f"loads without {what}" for what in ("torch", "network", "writing", "printing"))
LISTS = "ganzoo imports every plugin that is installed whenever it lists the zoo"
REACHES = """
import socket
with socket.socket() as there:
    there.setblocking(False)
    there.connect_ex(("127.0.0.1", 9))
"""
# what its module begins with, the check that it fails, what that says
MODULES = {
    "imports torch": ("import torch", TORCH, r"imports torch \(.*\.py, line 1\).*Move what needs it to a module of"),
    "reaches for the network": (REACHES, NETWORK, r"reaches for \('127\.0\.0\.1', 9\) \(.*, line 5\).*first needed"),
    "asks for an address": (
        "import contextlib, socket\nwith contextlib.suppress(OSError):\n    socket.getaddrinfo('127.0.0.1', 80)",
        NETWORK, r"reaches for 127\.0\.0\.1 \(.*, line 3\)",
    ),
    "writes a file": ("open('left', 'w').close()", WRITING, r"writes left \(.*, line 1\), and .*first needed"),
    "makes a folder": ("import os\nos.makedirs('left/behind')", WRITING, r"writes left.* and 1 more"),
    "starts a program": (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])", WRITING, r"starts .*python.*line 2\)",
    ),
    "prints": ("print('hello')", PRINTING, r"prints 'hello\\n'.*Take the print out"),
    "warns aloud": ("import sys\nsys.stderr.write('careful')", PRINTING, "prints 'careful'"),
    "changes what is everybody's": (
        "import logging\nlogging.root.setLevel(10)", LOADS, "works, but it changes the logging of everybody"
    ),
    "marks a hook that is none": (
        CARD + "@hookimpl\ndef ganzoo_holograms():\n    pass", LOADS, "does not work: .*this one has no hook"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("begins", "check", "words"), MODULES.values(), ids=MODULES)
def test_a_fault_of_a_module_is_found_by_one_check(install, begins, check, words):
    install(f"{begins}\n{YIELDS}")
    found = failures("plugin")
    assert list(found) == [check], found
    assert re.search(words, found[check]), found[check]
    assert check == LOADS or LISTS in found[check]


def test_what_a_hook_does_counts_too(install):
    install(YIELDS.replace("    yield card()", "    open('left', 'w').close()\n    yield card()"))
    assert list(failures("plugin")) == [WRITING]


@pytest.mark.parametrize("how", ["raise RuntimeError('no luck')", "raise SystemExit(3)", "import os; os._exit(3)"])
def test_a_module_that_cannot_be_imported_fails_once(install, how, monkeypatch):
    if "_exit" in how:  # which nothing survives; so only the process that looks at it is ended
        how = "import sys\nif 'ganzoo.testing.probes.import_probe' in sys.orig_argv: " + how
    install(f"{how}\n{YIELDS}")
    found = outcomes("plugin")
    words = [found[name].word for name in (LOADS, TORCH, NETWORK, WRITING, PRINTING)]
    assert words == ["passed" if "_exit" in how else "failed", *["skipped"] * 4], found
    assert "cannot be imported" in found[TORCH].message


def test_a_sound_module_passes(install):
    install(YIELDS)
    found = outcomes("plugin")
    assert [found[name].word for name in (LOADS, TORCH, NETWORK, WRITING, PRINTING)] == ["passed"] * 5


def test_a_plugin_that_is_not_there_has_one_check_which_says_so():
    (check,) = checks("surely-not-there")
    with pytest.raises(Exception, match="There is no plugin 'surely-not-there', nor a folder or file of that name"):
        check()


# ---- what hears of runs ----------------------------------------------------------------------------------------------

HEARS = """
from dataclasses import dataclass
from pathlib import Path
from ganzoo.api import LoggerCard, hookimpl

@dataclass
class Log:
    @hookimpl
    def ganzoo_run_started(self, run, step):
        (Path.home() / "heard.txt").write_text("once")

    @hookimpl
    def ganzoo_run_ended(self, run, status):
        raise ValueError("no luck")
"""
LOGGER = """
@hookimpl
def ganzoo_loggers():
    yield LoggerCard(name="heard", summary="For the tests.", api=2, logger=Log{writes})
"""


@pytest.mark.parametrize("how", ["a logger", "a module"])
def test_what_raises_or_writes_elsewhere_is_found(install, how):
    module = "".join(
        line.removeprefix("    ").replace("self, ", "")
        for line in HEARS.splitlines(True)
        if not re.match("@|class", line)
    )
    install(HEARS + LOGGER.format(writes="") if how == "a logger" else module)
    found = failures("logger")
    assert list(found) == ["survives a run", "writes inside the run"], found
    assert re.search(
        r"failed in ganzoo_run_ended \(ValueError: no luck.*ask before you use one", found["survives a run"]
    )
    assert re.search(r"It writes .*heard\.txt; keep everything below run\.path", found["writes inside the run"])


MISTAKES = {
    "no dataclass": (
        HEARS.replace("@dataclass\n", ""),
        r"Log is no dataclass; write @dataclass\(frozen=True\) above it",
    ),
    "no hook": (HEARS.replace("    @hookimpl\n", ""), r"does not work: it implements no hook"),
    "an unknown argument": (HEARS.replace("status", "mood"), r"does not work: .*mood"),
}


@pytest.mark.parametrize(("source", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_logger_that_cannot_listen_is_a_failure(install, source, words):
    install(source + LOGGER.format(writes=""))
    assert re.search(words, failures("logger")["survives a run"])


def test_a_logger_that_refuses_is_skipped(install):
    refuses = (
        "def __post_init__(self):\n        from ganzoo.api import need\n        need('not_there', 'not-there', 'it')"
    )
    install(HEARS.replace("class Log:\n", f"class Log:\n    {refuses}\n") + LOGGER.format(writes=""))
    found = outcomes("logger")
    assert [found[name].word for name in ("survives a run", "writes inside the run")] == ["skipped"] * 2
    assert "not-there" in found["survives a run"].message


def test_a_logger_may_say_that_it_writes_elsewhere(install):
    install(HEARS + LOGGER.format(writes=', writes="heard.txt at home"'))
    assert "writes inside the run" not in {check.name for check in checks("stranger")}


# ---- the command -----------------------------------------------------------------------------------------------------


def check(*words: object) -> Result:
    return CliRunner().invoke(app, ["plugins", "check", *map(str, words)])


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """A project that is not installed, with one module of this source, in src."""

    def project(source: str) -> Path:
        folder = tmp_path / "ganzoo-mine"
        (folder / "src").mkdir(parents=True)
        (folder / "src" / f"{tmp_path.name}.py").write_text(source.format(module=tmp_path.name), encoding="utf-8")
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "ganzoo-mine"\n[project.entry-points.ganzoo]\nmine = "{tmp_path.name}"\n',
            encoding="utf-8",
        )
        return folder

    return project


def test_the_command_says_what_came_of_each_check(project):
    folder = project(LOSS)
    done = check(folder)
    assert done.exit_code == 1, done.output
    lines = done.output.splitlines()
    assert lines[0] == "mine"
    assert re.fullmatch(r"  passed   loads +\d+\.\d s", lines[1]), lines
    assert "mine, loss" in lines
    [at] = [number for number, line in enumerate(lines) if re.match(r"  failed   signs", line)]
    assert "Minimising the generator's loss lowers D(G(z)); turn its sign" in lines[at + 1]
    assert re.fullmatch(r"10 checks in \d+\.\d s: 9 passed, 1 failed\.", lines[-1]), lines[-1]

    done = check(folder, "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert (found["plugin"], found["passed"], found["failed"], found["skipped"]) == ("mine", 9, 1, 0)
    [failed] = [each for each in found["checks"] if each["outcome"] == "failed"]
    assert (failed["name"], failed["architecture"], failed["kind"]) == ("signs", "mine", "loss")
    assert failed["message"].startswith("Minimising the generator's loss lowers")
    assert failed["seconds"] >= 0


def test_the_command_is_content_with_what_is_sound():
    done = check("ganzoo:hinge", "--json")
    assert done.exit_code == 0
    assert {each["outcome"] for each in json.loads(done.stdout)["checks"]} == {"passed"}


def test_a_project_that_names_no_plugin(tmp_path):
    assert "has no pyproject.toml, which would say its entry points" in check(tmp_path).output
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'mine'\n", encoding="utf-8")
    done = check(tmp_path)
    assert (done.exit_code, "names no plugin; it takes a [project] with a name" in done.output) == (2, True)


def test_an_unknown_name_gets_the_nearest():
    done = check("dcgam")
    assert done.exit_code == 2
    assert "There is no plugin 'dcgam', nor a folder or file of that name; did you mean dcgan?" in done.output


def test_pytest_raises_what_the_command_says(project):
    [signs] = [each for each in checks(project(LOSS)) if each.name == "signs"]
    with pytest.raises(CheckFailed, match="turn its sign"):
        signs()
