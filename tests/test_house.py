"""Imports only run downwards, in the order that docs/design.md gives; plugins come in by one door."""

from __future__ import annotations

import ast
import pkgutil
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import ganzoo

ROOT = Path(__file__).parents[1]
TOP = {"ganzoo", "plugins", "tests", "docs", "pyproject.toml", "CHANGELOG.md", "README.md", "LICENSE"}
FACE = "__init__"


def floors() -> dict[str, int]:
    """Room -> its place in the list under "The floors" of docs/design.md, from the ground up."""
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    section = page.partition("\n## The floors\n")[2].partition("\n## ")[0]
    rooms = [room for row in re.findall(r"^\| (`.*?) \|", section, re.M) for room in re.findall(r"`(\w+)`", row)]
    assert len(rooms) == len(set(rooms))
    return {room: place for place, room in enumerate(rooms)}


def python_files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*.py")) if not {"template", "third_party"} & {*file.parts}]


def imports(file: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a file imports when it runs, wherever in it: a module, and names from it. Annotations' do not count."""
    waiting: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: write the whole name of the module"
            yield node.module or "", tuple(alias.name for alias in node.names)
        waiting += ast.iter_child_nodes(node)


def rooms_of(module: str, names: tuple[str, ...], order: dict[str, int]) -> set[str]:
    """The rooms of ganzoo that an import reaches: `from ganzoo import data` is data's, `import ganzoo` the face's."""
    top, _, rest = module.partition(".")
    if top != "ganzoo":
        return set()
    if rest:
        return {rest.partition(".")[0]}
    return {name if name in order else FACE for name in names} or {FACE}


def test_every_room_is_on_the_page():
    there = {module.name for module in pkgutil.iter_modules(ganzoo.__path__)} | {FACE}
    assert there == set(floors())


def test_imports_run_downwards():
    order = floors()
    upwards = []
    for file in python_files(ROOT / "ganzoo"):
        room = file.relative_to(ROOT / "ganzoo").parts[0].removesuffix(".py")
        for module, names in imports(file):
            upwards += [
                f"{file.relative_to(ROOT)} imports {module}"
                for target in rooms_of(module, names, order)
                if order[target] > order[room]
            ]
    assert not upwards


def test_the_order_is_kept_where_it_is_asked(tmp_path):
    """The walk sees imports inside functions, and `from ganzoo import data`; it skips those for annotations."""
    file = tmp_path / "module.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ganzoo.cli\n"
        "def f():\n    from ganzoo import data\n    import ganzoo\n    import ganzoo.loop.trainer\n"
    )
    found = {room for module, names in imports(file) for room in rooms_of(module, names, floors())}
    assert found == {"data", FACE, "loop"}


def test_the_core_imports_no_plugin():
    plugins = {folder.name for folder in (ROOT / "plugins").iterdir()}
    found = [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in python_files(ROOT / "ganzoo")
        for module, _ in imports(file)
        if module.partition(".")[0] in plugins
    ]
    assert not found


def public_modules() -> set[str]:
    """Modules of plugins that other plugins may import: they say so in their docstring."""
    return {
        ".".join(file.relative_to(ROOT / "plugins").with_suffix("").parts)
        for file in python_files(ROOT / "plugins")
        if "This module is public" in (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "")
    }


def test_plugins_come_in_by_one_door():
    public = public_modules()
    assert "ganzoo_progan.growing" in public
    found = []
    for file in python_files(ROOT / "plugins"):
        own = file.relative_to(ROOT / "plugins").parts[0]
        for module, _ in imports(file):
            top = module.partition(".")[0]
            allowed = module == "ganzoo.api" or top == own or module in public
            if (top == "ganzoo" or top.startswith("ganzoo_")) and not allowed:
                found.append(f"{file.relative_to(ROOT)} imports {module}")
    assert not found


def test_no_test_module_imports_another():
    found = [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in python_files(ROOT / "tests")
        for module, _ in imports(file)
        if module.rpartition(".")[2].startswith("test_")
    ]
    assert not found


def architectures() -> set[str]:
    names = {folder.name.removeprefix("ganzoo_") for folder in (ROOT / "plugins").glob("ganzoo_*")}
    return {name for name in names if (ROOT / "plugins" / f"ganzoo_{name}" / "model.py").exists()}


@pytest.mark.parametrize("file", python_files(ROOT / "ganzoo"), ids=lambda file: str(file.relative_to(ROOT / "ganzoo")))
def test_the_core_names_no_architecture(file):
    """No name, attribute or import of the core's code is an architecture's. Texts for people may use one as example;
    `api.py` alone says where names of the contract's number 1 have gone.
    """
    plugins = {f"ganzoo_{name}" for name in architectures()}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            allowed = file == ROOT / "ganzoo" / "api.py" and node.value in (
                "ganzoo_progan.growing",
                "ganzoo_progan.layers",
            )
            assert allowed or node.value.partition(".")[0].partition(":")[0] not in plugins, node.value
        if isinstance(node, ast.Compare):  # `if name == "dcgan"`
            assert not {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)} & architectures()


def test_nothing_else_lies_at_the_top():
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if kept.returncode or not kept.stdout:
        pytest.skip("this is no checkout of git's")
    names = {name.partition("/")[0].strip('"') for name in kept.stdout.splitlines()}
    assert {name for name in names if not name.startswith(".")} == TOP
