"""Every code cell of the notebook runs, at a tiny size and without Jupyter."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "quickstart.ipynb"
TINY = {"RESOLUTION": "16", "FACES": "64", "EPOCHS": "1"}


@pytest.fixture(scope="module")
def notebook() -> dict[str, Any]:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))


def code_cells(notebook: dict[str, Any]) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def without_magic(code: str) -> str:
    """The code with each line that only IPython understands replaced by `pass`."""
    lines = code.splitlines(keepends=True)
    return "".join(
        line[: -len(line.lstrip())] + "pass\n" if line.lstrip().startswith(("%", "!")) else line for line in lines
    )


def test_it_is_a_notebook_without_outputs(notebook):
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    identifiers = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identifiers)) == len(identifiers)
    for cell in notebook["cells"]:
        assert cell["cell_type"] in ("code", "markdown")
        assert isinstance(cell["metadata"], dict)
        assert all(isinstance(line, str) for line in cell["source"])
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_the_first_cell_installs_only_what_is_missing(notebook):
    first, *others = code_cells(notebook)
    assert "%pip install -q {source}" in first
    assert '"./ganzoo"' in first
    assert not any(line.lstrip().startswith(("%", "!")) for cell in others for line in cell.splitlines())
    missing = compile(without_magic(first).replace("pass", "installed.append(True)"), "first cell", "exec")
    installed: list[bool] = []
    exec(missing, {"installed": installed})
    assert installed == []


def test_every_code_cell_runs(notebook, tmp_path, monkeypatch, capsys):
    shown: list[Any] = []
    ipython = ModuleType("IPython.display")
    ipython.display = shown.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython.display", ipython)
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    for name, value in TINY.items():
        monkeypatch.setenv(f"NOTEBOOK_{name}", value)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    for number, code in enumerate(code_cells(notebook), 1):
        exec(compile(without_magic(code), f"{NOTEBOOK.name}, code cell {number}", "exec"), namespace)
    assert len(shown) > 5
    assert all(picture.size > (1, 1) for picture in shown)
    assert "finished" in capsys.readouterr().out
    made = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert made == ["dcgan-anime-1", "dcgan-quickstart-pictures-1"]
