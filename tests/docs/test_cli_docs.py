"""docs/cli.md is what the commands say of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import cli_reference as reference

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_page_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert PAGE.read_text(encoding="utf-8") == reference.document(), (
        "docs/cli.md is out of date: PYTHONPATH=tests python -m support.cli_reference > docs/cli.md"
    )


def test_every_command_has_help_and_a_section() -> None:
    sections = {line[3:] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("## ")}
    pages = dict(reference.pages())
    assert set(pages) == sections
    for path, text in pages.items():
        usage, summary, *_ = text.split("\n\n")
        assert usage.startswith(f"Usage: {path}")
        assert summary.strip().endswith("."), path
        assert "Example" in text or "Commands:" in text or path == "ganzoo", path
