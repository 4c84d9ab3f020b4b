"""Errors a user sees: one plain sentence, and what to do about it."""

from __future__ import annotations

import difflib
import importlib
import json
import os
import re
import traceback
from collections.abc import Iterable
from typing import Any

RESUME_ME = 75  # the exit code EX_TEMPFAIL of sysexits.h: what schedulers start again


class GanzooError(Exception):
    """Something failed. Its text is written for the user; the command line prints it and exits with 1."""

    exit_code = 1

    def __str__(self) -> str:
        """One line, whatever names a stranger's file has brought into it."""
        return printable(super().__str__())

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback, unless GANZOO_DEBUG is set."""
        if os.environ.get("GANZOO_DEBUG", "0") not in ("", "0"):
            return traceback.format_exception(self)
        return [f"{type(self).__name__}: {in_python(str(self))}"]


class UsageError(GanzooError):
    """What was asked for cannot be done as asked; the command line exits with 2."""

    exit_code = 2


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, pressed by the user; any other KeyboardInterrupt may come from a plugin. Its text is for the user."""


_OPTIONS = {"class": "label", "continue": "go_on=True"}  # what Python calls otherwise
_CALLS = {"list": "architectures()", "runs": "list_runs()", "data list": "data.names()"}


def in_python(text: str) -> str:
    """A sentence about the command line with Python's names: ``--lr-d 0.1`` is ``lr_d=0.1``, `ganzoo resume RUN` is
    ``ganzoo.resume("RUN")``, and what only the command line has gets the exclamation mark of a notebook.
    """

    def call(match: re.Match[str]) -> str:
        typed = match[1] or match[2]
        command, *words = typed.split()
        if typed in _CALLS:
            said = f"ganzoo.{_CALLS[typed]}"
        elif command in ("resume", "train") and words and not any(word.startswith("-") for word in words):
            said = f"ganzoo.{command}({', '.join(json.dumps(word) for word in words)})"
        else:
            said = f"!ganzoo {typed}"
        return f"`{said}`" if match[1] else said

    def option(match: re.Match[str]) -> str:
        name = _OPTIONS.get(match[1], match[1].replace("-", "_"))
        return name if match[2] is None or "=" in name else f"{name}={match[2]}"

    pieces = re.split(r"(`ganzoo [^`]+`|(?<=: )ganzoo .+$)", text)
    for place, piece in enumerate(pieces):
        if place % 2:
            pieces[place] = re.sub(r"`ganzoo ([^`]+)`|ganzoo (.+)$", call, piece)
        else:
            pieces[place] = re.sub(r"(?<![\w-])--([a-z][a-z0-9-]*)(?: ([\d.][\w.-]*\b))?", option, piece)
    return "".join(pieces)


def suggest(word: str, known: Iterable[str]) -> str:
    """A half-sentence that names those of `known` that `word` may be a slip of, or all of them when none is near."""
    known = sorted(known)
    if close := near(word, known):
        return "did you mean " + " or ".join(close) + "?"
    return "known: " + ", ".join(known) + "." if known else "none is installed."


def near(word: str, known: Iterable[str]) -> list[str]:
    """Those of `known`, three at most, that `word` begins, or that differ from it by a slip of the finger."""
    bare = {each.lstrip("-").lower(): each for each in known}
    word = word.lstrip("-").lower()
    begun = [each for each in bare if len(word) > 2 and each.startswith(word)]
    close = difflib.get_close_matches(word, bare, n=3, cutoff=0.7 if len(word) > 4 else 0.65)
    return [bare[each] for each in dict.fromkeys([*close, *begun])][:3]


def printable(text: str) -> str:
    """One line in which what a terminal might obey is written out, as ``\\x1b``; a stranger's file may have a say."""
    return escaped(" ".join(text.split()))


def escaped(text: str) -> str:
    """The same for a text of several lines."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else letter.encode("unicode_escape").decode()
        for letter in text
    )


_NUMBER = r"[+-]?[\d.,]+(e[+-]?\d+)?"


def csv_cell(value: object) -> str:
    """A value as CSV has it: one line in which no program obeys anything, and no spreadsheet sees a formula."""
    text = printable(str(value))
    formula = text[:1] in ("=", "+", "-", "@") and not re.fullmatch(rf"{_NUMBER}( ± {_NUMBER})?|[+-](inf|nan)", text)
    return f"'{text}" if formula else text


def without_login(text: object) -> str:
    """A text as it may be shown and kept: without the name and the password that an address in it may have."""
    return re.sub(r"(://|:/(?=[^/?#\s:@]+:))[^/?#\s]*@", r"\1", str(text))


class MissingPackage(GanzooError):
    """What was asked for needs a package that is not installed."""


def need(module: str, package: str, what: str, extra: str | None = None) -> Any:
    """Imports an optional module.

    Args:
        package: the distribution that it comes with.
        what: what the user asked for that needs it, such as ``"--log tensorboard"``.
        extra: of ganzoo's, that has the package: ``pip install 'ganzoo[EXTRA]'``.
    Raises: MissingPackage, which says what to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        advice = package if extra is None else f"'ganzoo[{extra}]'"
        raise MissingPackage(
            f"{what} needs the package {package}, which cannot be imported here ({error}); type: pip install {advice}"
        ) from error
