"""A check: one promise of one thing that a plugin offers, and what came of it. Nothing here imports torch or pytest."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from unittest import SkipTest

from ganzoo.errors import GanzooError

Word = Literal["passed", "failed", "skipped", "expected failure", "unexpectedly passed"]


PASSED: Final = "passed"
FAILED: Final = "failed"
SKIPPED: Final = "skipped"
EXPECTED: Final = "expected failure"
UNEXPECTED: Final = "unexpectedly passed"


class CheckFailed(AssertionError):
    """What is wrong, where, and how it is usually mended."""


class ExpectedFailure(Exception):
    """A check failed as it was said to; outside pytest, which has a word of its own for it."""


class NotChecked(SkipTest):
    """What the check is about could not be made; another check says why. pytest counts it as skipped."""


@dataclass(frozen=True)
class Outcome:
    """What came of a check: a word, what there is to say of it ("" when it passed), and the seconds it took."""

    word: Word
    message: str
    seconds: float

    @property
    def good(self) -> bool:
        """Whether it is as it should be; a check that was expected to fail and passes is not."""
        return self.word not in (FAILED, UNEXPECTED)


@dataclass(frozen=True, eq=False)
class Check:
    """One promise. Calling it raises when the promise is broken.

    Attributes:
        name: of the promise: "trains", "resumes", …
        thing: what promises it, as asked for: an architecture, a loss, a plugin, … by name.
        subject: the case, such as "conditional 3x32x32"; "" where all of them are meant.
        kind: "architecture", "loss", …, or "plugin" where its module as a whole is meant.
        expected: why it is known to fail; None when it should pass.
    """

    name: str
    thing: str
    subject: str
    run: Callable[[], None]
    kind: str = "architecture"
    expected: str | None = None

    def __call__(self) -> None:
        """Runs it, for pytest.

        Raises: CheckFailed, or whatever the plugin itself raised; where it was expected to fail, pytest's own xfail
        (without pytest ExpectedFailure), and CheckFailed when it passed all the same.
        """
        try:
            self.run()
        except SkipTest:
            raise
        except Exception as error:
            if self.expected is None:
                raise
            pytest = sys.modules.get("pytest")
            if pytest is not None:
                pytest.xfail(f"{self.expected} ({explain(error)})")
            raise ExpectedFailure(self.expected) from error
        if self.expected is not None:
            raise CheckFailed(self._surprise)

    def outcome(self) -> Outcome:
        """Runs it and says what came of it; raises nothing."""
        started = time.perf_counter()
        word, message = self._outcome()
        return Outcome(word, message, time.perf_counter() - started)

    def _outcome(self) -> tuple[Word, str]:
        try:
            self.run()
        except SkipTest as error:
            return SKIPPED, str(error)
        except (Exception, SystemExit) as error:
            if self.expected is None:
                return FAILED, explain(error)
            return EXPECTED, f"{self.expected} ({explain(error)})"
        return (PASSED, "") if self.expected is None else (UNEXPECTED, self._surprise)

    @property
    def _surprise(self) -> str:
        return (
            f"It passes, and was expected to fail ({self.expected}): take {self.name!r} out of the expected failures."
        )

    def __str__(self) -> str:
        return " ".join(filter(None, (self.thing, self.subject, self.name)))


def require(held: bool, text: str) -> None:
    """Raises: CheckFailed with the text unless it held."""
    if not held:
        raise CheckFailed(text)


def explain(error: BaseException) -> str:
    """What went wrong, in one line; of an error that is no sentence of ganzoo's, with the line of the plugin's code."""
    text = " ".join(str(error).split())
    notes = "".join(f" {note}" for note in getattr(error, "__notes__", ()))
    if isinstance(error, (GanzooError, CheckFailed)):
        return text + notes
    return f"{type(error).__name__}: {text.rstrip('.') or 'no reason given'}{place(error)}.{notes}"


def place(error: BaseException) -> str:
    """`` (model.py, line 31)``: the innermost line that is neither ganzoo's nor torch's, where there is one."""
    ours = os.path.dirname(os.path.dirname(__file__)) + os.sep
    torch, frames = f"{os.sep}torch{os.sep}", traceback.extract_tb(error.__traceback__)
    theirs = [each for each in frames if not each.filename.startswith((ours, "<")) and torch not in each.filename]
    return f" ({os.path.basename(theirs[-1].filename)}, line {theirs[-1].lineno})" if theirs else ""
