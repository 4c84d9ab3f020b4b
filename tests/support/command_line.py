"""The command line, run in this process, and what a refusal looks like."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from ganzoo.cli.app import app


def cli(*words: object) -> Result:
    """What `ganzoo WORDS` does, in this process."""
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="ganzoo")


def refusal(result: Result, code: int = 2) -> str:
    """The one line of a command that failed as it should."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit)
    lines = result.stderr.splitlines()
    assert len(lines) == 1
    assert "Traceback" not in result.output
    return lines[0]


def as_json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
