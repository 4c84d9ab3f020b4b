"""Plugins that do not work, as the command line shows them: installed for one new process each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import HERE, SITE
from support.install import write_distribution

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ganzoo_with(tmp_path: Path) -> Callable[[dict[str, str]], Run]:
    """Installs a distribution with these modules, each a plugin, and gives what runs `ganzoo` with it."""

    def install(modules: dict[str, str]) -> Run:
        for module, text in modules.items():
            (tmp_path / f"{module}.py").write_text(text, encoding="utf-8")
        write_distribution(tmp_path, "ganzoo-strange", {module.removesuffix("_zoo"): module for module in modules})

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            path = os.pathsep.join(map(str, (tmp_path, SITE, HERE)))
            return subprocess.run(
                [sys.executable, "-m", "ganzoo", *words],
                env={**os.environ, "PYTHONPATH": path},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                encoding="utf-8",
            )

        return run

    return install


def test_a_plugin_that_raises_on_import(ganzoo_with: Callable[[dict[str, str]], Run]) -> None:
    ganzoo = ganzoo_with({"shaky_zoo": "raise RuntimeError('no such luck')"})
    done = ganzoo("list", "--json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["tinygan"]["status"] == "ok"
    assert rows["shaky"]["status"] == "broken"
    assert "no such luck" in rows["shaky"]["reason"]
    assert done.stderr == ""
    table = ganzoo("list").stdout
    assert "1 plugin does not work; see `ganzoo plugins`." in table
    assert "no such luck" not in table
    assert "no such luck" in ganzoo("plugins").stdout
    assert json.loads(ganzoo("doctor", "--json").stdout)["ok"] is True
    asked = ganzoo("show", "shaky")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr.count("\n") == 1
    assert "no such luck" in asked.stderr


def test_two_plugins_with_one_name(ganzoo_with: Callable[[dict[str, str]], Run]) -> None:
    ganzoo = ganzoo_with({"other_zoo": "from tinyzoo import ganzoo_architectures"})
    rows = [row for row in json.loads(ganzoo("list", "--json").stdout) if row["name"] == "tinygan"]
    assert [row["status"] for row in rows] == ["ambiguous", "ambiguous"]
    assert {row["reason"].split("; ")[1] for row in rows} == {
        "write ganzoo-strange:tinygan",
        "write ganzoo-tiny:tinygan",
    }
    bare = ganzoo("train", "tinygan", "tiny", "--dry-run")
    assert bare.returncode == 2
    assert bare.stderr == (
        "Error: 2 plugins offer the architecture 'tinygan'; write ganzoo-strange:tinygan or ganzoo-tiny:tinygan.\n"
    )
    full = ganzoo("train", "ganzoo-tiny:tinygan", "tiny", "--steps", "1", "--width", "3", "--dry-run")
    assert full.returncode == 0, full.stderr
