"""A zoo full of bad plugins, each a wheel that pip installed: what works goes on, and everything bad is named."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import HERE, SITE
from support.strangers import CARD, YIELDS, wheel

Run = Callable[..., subprocess.CompletedProcess[str]]

# entry point -> (its module, what is to be said of it); the good one is among them
BAD = {
    "good": (YIELDS.replace("card()", "card('good')"), None),
    "raises": ("raise RuntimeError('no such luck')", r"RuntimeError: no such luck \(ganzoo_raises\.py:1\)"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "ends": ("import sys; sys.exit()", "SystemExit"),
    "needs": (
        "import surely_not_there",
        "it needs the module surely_not_there, .* type: pip install 'surely-not-there>=2'",
    ),
    "nonsense": (CARD + "@hookimpl\ndef ganzoo_architectures():\n    return 42", "gave a int"),
    "late": (YIELDS + "    raise ValueError('late')", r"ValueError: late \(ganzoo_late\.py:\d+\)"),
    "hooks": (YIELDS + "@hookimpl\ndef ganzoo_holograms():\n    pass", "this one has no hook ganzoo_holograms"),
    "newer": (
        YIELDS.replace("card()", "card(api=99)"),
        r"made for a newer ganzoo \(API 99, this is \d+\); upgrade ganzoo",
    ),
    "prints": ("print('hello')\n" + YIELDS.replace("card()", "card('prints')"), "it prints 'hello'"),
    "shadow": (YIELDS.replace("card()", "card('shadow')"), "ganzoo_dcgan .* is hidden by another of that name"),
    "twin": (YIELDS.replace("card()", "card('tinygan')"), None),
}
BROKEN = set(BAD) - {"good", "prints", "twin"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip put them."""
    folder, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    for name, (source, _) in BAD.items():
        module = "ganzoo_dcgan" if name == "shadow" else f"ganzoo_{name}"
        needs = "Requires-Dist: surely-not-there>=2\n" if name == "needs" else ""
        wheel(folder, f"ganzoo-{name}", "2.5", {f"{module}.py": source}, f"[ganzoo]\n{name} = {module}\n", needs)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(target)]
    done = subprocess.run([*pip, *map(str, folder.glob("*.whl"))], capture_output=True, text=True)
    if "No module named pip" in done.stderr:
        pytest.skip("there is no pip here")
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def ganzoo(site: Path, tmp_path: Path) -> Run:
    """Runs the `ganzoo` of a new process in an empty folder, with theirs in front of everything on its path."""

    def run(*words: str, front: Path = site, **environment: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(map(str, (front, SITE, HERE)))
        return subprocess.run(
            [sys.executable, "-m", "ganzoo", *words],
            env={**os.environ, "PYTHONPATH": path, **environment},
            cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", timeout=600,
        )  # fmt: skip

    return run


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_the_list_goes_on_and_names_what_is_bad(ganzoo: Run) -> None:
    done = ganzoo("list", "--json")
    assert done.stderr == "hello\n"
    found = rows(done)
    assert {"dcgan", "progan", "good", "prints"} <= {row["name"] for row in found if row["status"] != "broken"}
    broken = {row["name"]: row for row in found if row["status"] == "broken"}
    assert set(broken) == BROKEN
    for name, row in broken.items():
        assert (row["distribution"], row["version"]) == (f"ganzoo-{name}", "2.5")
        assert re.search(BAD[name][1] or "", str(row["reason"])), row
    [printing] = [row for row in found if row["name"] == "prints"]
    assert (printing["status"], printing["reason"]) == ("warning", "it prints 'hello'")
    twins = [row for row in found if row["name"] == "tinygan"]
    assert {row["reason"] for row in twins} == {
        f"2 plugins offer it; write {distribution}:tinygan" for distribution in ("ganzoo-tiny", "ganzoo-twin")
    }


def test_what_is_broken_is_a_red_row_with_its_reason(ganzoo: Run) -> None:
    red, yellow = "\x1b[31m", "\x1b[33m"
    text = ganzoo("plugins", FORCE_COLOR="1", TERM="xterm", COLUMNS="200").stdout
    lines = [line.strip() for line in text.splitlines()]
    for name in BROKEN:
        assert any(line.startswith(red) and re.search(rf"\b{name} ", line) for line in lines), (name, text)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    for name, (_, reason) in BAD.items():
        assert reason is None or re.search(reason, plain), (name, plain)
    assert any(line.startswith(yellow) and "prints" in line for line in lines)


def test_the_list_counts_what_is_broken_in_one_red_line(ganzoo: Run) -> None:
    text = ganzoo("list", FORCE_COLOR="1", TERM="xterm", COLUMNS="200").stdout
    assert f"\x1b[31m{len(BROKEN)} plugins do not work; see `ganzoo plugins`." in text
    assert any(line.strip().startswith("\x1b[33m") and "prints" in line for line in text.splitlines())


def test_every_call_of_a_hook_is_listed(ganzoo: Run) -> None:
    found = {row["name"]: row for row in rows(ganzoo("plugins", "--trace", "--json"))}

    def calls(name: str) -> list[tuple[str, int | None]]:
        return [(call["call"], call["cards"]) for call in found[name]["calls"]]

    assert calls("good") == [("import", None), ("ganzoo_architectures", 1)]
    assert calls("raises") == [("import", None)]
    assert calls("late") == [("import", None), ("ganzoo_architectures", None)]
    text = ganzoo("plugins", "--trace", COLUMNS="200").stdout
    assert re.search(r"good +ganzoo-good 2\.5 +ganzoo_architectures +\d+\.\d+ +1 card", text)
    assert re.search(r"late +ganzoo-late 2\.5 +ganzoo_architectures +\d+\.\d+ +ValueError: late", text)


def test_training_goes_on_beside_them(ganzoo: Run, tmp_path: Path) -> None:
    bare = ganzoo("train", "tinygan", "tiny", "--steps", "1")
    assert (bare.returncode, bare.stdout) == (2, "")
    assert "write ganzoo-tiny:tinygan or ganzoo-twin:tinygan" in bare.stderr
    done = ganzoo("train", "ganzoo-tiny:tinygan", "tiny", "--steps", "1", "--device", "cpu", "--out", "run")
    assert (done.returncode, done.stderr) == (0, "hello\n")
    facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert (facts["distribution"], facts["architecture"], facts["status"]) == ("ganzoo-tiny", "tinygan", "finished")


def test_ganzoo_plugins_chooses(ganzoo: Run) -> None:
    found = rows(ganzoo("list", "--json", GANZOO_PLUGINS="good,dcgan"))
    assert {(row["name"], row["status"]) for row in found} == {("good", "ok"), ("dcgan", "ok")}
    none = ganzoo("plugins", "--json", GANZOO_PLUGINS="")
    assert {row["name"] for row in rows(none)} == {"builtin"}
    assert rows(ganzoo("list", "--json", GANZOO_PLUGINS="")) == []
    text = ganzoo("list", GANZOO_PLUGINS="good,odd").stdout
    assert re.search(r"GANZOO_PLUGINS leaves out \d+ of \d+ plugins\.", text)
    assert "GANZOO_PLUGINS names odd, which is no plugin here." in text


def installed(folder: Path, source: str) -> Path:
    """A folder with one plugin, called `bad`, in it."""
    from support.install import write_distribution

    (folder / "bad_module.py").write_text(source, encoding="utf-8")
    write_distribution(folder, "ganzoo-bad", {"bad": "bad_module"})
    return folder


def test_a_plugin_that_ends_the_process_is_the_last_one_named(ganzoo: Run, tmp_path: Path) -> None:
    site = installed(tmp_path, "import os; os._exit(7)")
    done = ganzoo("list", front=site, GANZOO_TRACE="1")
    assert done.returncode == 7
    assert done.stderr.splitlines()[-1] == "ganzoo: the plugin bad of ganzoo-bad 1.0: import …"
    assert ganzoo("list", front=site, GANZOO_PLUGINS="ganzoo").returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_at_an_import_that_hangs(tmp_path: Path) -> None:
    site = installed(tmp_path, "import time; time.sleep(600)")
    code = "from ganzoo.catalogue import isolation; isolation.SLOW = 0.1; from ganzoo.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "list"],
        env={**os.environ, "PYTHONPATH": str(site)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        while "the plugin bad" not in (waiting := process.stderr.readline()):  # on a busy machine others are slow too
            assert waiting
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=600)
    assert waiting == "Waiting for the plugin bad of ganzoo-bad 1.0 to be imported; Ctrl-C stops.\n"
    assert process.returncode == 130
    assert said.strip() == (
        "Stopped while the plugin bad of ganzoo-bad 1.0 was being imported. "
        "GANZOO_PLUGINS=NAME,NAME loads only the plugins it names."
    )
    assert printed == ""
