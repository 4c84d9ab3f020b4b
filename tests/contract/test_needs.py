"""What is not installed is one sentence that says what to type."""

import re
from pathlib import Path

import pytest

from ganzoo.errors import GanzooError, need

ROOT = Path(__file__).parents[2]


def test_a_package_of_an_extra() -> None:
    with pytest.raises(GanzooError, match=r"^--log far needs the package far.*; type: pip install 'ganzoo\[far\]'$"):
        need("surely_not_there", "far", "--log far", "far")


def test_a_package_of_no_extra() -> None:
    with pytest.raises(GanzooError, match=r"type: pip install far$"):
        need("surely_not_there", "far", "--log far")


def test_extras_that_are_named_are_declared() -> None:
    declared = set(re.findall(r"^([a-z]+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M))
    sources = [*(ROOT / "ganzoo").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in sources]
    named = {extra for text in texts for extra in re.findall(r"'ganzoo\[([a-z]+)\]'", text)}
    named |= {extra for text in texts for extra in re.findall(r'need\([^()]*, "([a-z]+)"\)', text)}
    assert {"hub", "movie", "onnx", "sound", "table", "tensorboard", "wandb"} <= named | {"hub"} <= declared
