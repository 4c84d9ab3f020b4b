"""`ganzoo plugins check`."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.options import json_option
from ganzoo.cli.output import console, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from ganzoo.testing import Check, Outcome
    from ganzoo.testing.lookup import Found

STYLES = {"passed": "green", "failed": "bold red", "unexpectedly passed": "bold red"}
WIDTH = max(map(len, ("passed", "failed", "skipped")))


@click.command(
    "check",
    cls=Command,
    examples=("ganzoo plugins check dcgan", "ganzoo plugins check ./ganzoo-my-gan", "ganzoo plugins check swd --json"),
)
@click.argument("what", metavar="NAME|PATH")
@json_option("lines")
def check(what: str, as_json: bool) -> int:
    """Check that a plugin keeps what every plugin must.

    NAME is a plugin's or a distribution's, or that of one thing, such as an architecture. PATH is the folder of a
    plugin's project, installed or not, or a single file, my_gan.py. Architectures are trained for a few steps on noise,
    small and on the CPU; nothing is fetched. Whatever fails says what is wrong and how it is usually mended.
    """
    from ganzoo.testing.lookup import look_up

    subject = look_up(what)
    name = subject[0].plugin.name if len(subject) == 1 and subject[0].plugin and subject[0].whole else what
    started = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        results = _run(subject, None if as_json else console())
        parameters = _parameters(subject)
    tally: Counter[str] = Counter(outcome.word for _, outcome in results)
    bad = sum(not outcome.good for _, outcome in results)
    if as_json:
        print_json(
            {
                "plugin": name,
                "passed": tally["passed"],
                "failed": bad,
                "skipped": tally["skipped"],
                "seconds": round(time.perf_counter() - started, 2),
                "parameters": parameters,
                "checks": [_facts(each, outcome) for each, outcome in results],
            }
        )
    else:
        _summary(tally, parameters, time.perf_counter() - started)
    return 1 if bad else 0


def _run(found: list[Found], out: Console | None) -> list[tuple[Check, Outcome]]:
    """Runs every check, and shows a line for each as it ends."""
    from ganzoo.testing.collect import checks_of

    results, thing = [], ""
    for each in (check for one in found for check in checks_of(one)):
        title = each.thing if each.kind in ("architecture", "plugin") else f"{each.thing}, {each.kind}"
        if out and title != thing:
            thing = title
            out.print(thing, style="bold")
        label = " ".join(filter(None, (each.subject if each.kind == "architecture" else "", each.name)))
        with out.status(label) if out and out.is_terminal else contextlib.nullcontext():
            outcome = each.outcome()
        results.append((each, outcome))
        if out:
            out.print(f"  {outcome.word:<{WIDTH}}  ", style=STYLES.get(outcome.word, "yellow"), end="")
            out.print(f"{label:<48} {outcome.seconds:6.1f} s", soft_wrap=True)
            if outcome.message:
                out.print(f"    {outcome.message}", soft_wrap=True)
    return results


def _parameters(found: list[Found]) -> dict[str, dict[str, int]]:
    """Parameters of each network of each architecture, as it is without options."""
    entries = [entry for each in found for entry in each.entries if entry.kind == "architecture"]
    if not entries:
        return {}
    from ganzoo.testing.architecture.checks import counts

    return {entry.name: counts(entry) for entry in entries}


def _summary(tally: Counter[str], parameters: dict[str, dict[str, int]], seconds: float) -> None:
    out = console()
    for name, counts in parameters.items():
        if counts:
            each = " + ".join(f"{network} {count:,}" for network, count in counts.items())
            out.print(f"{name}: {each} parameters, without options", soft_wrap=True)
    words = ", ".join(f"{count} {word}" for word, count in tally.items())
    bad = tally["failed"] + tally["unexpectedly passed"]
    out.print(f"{tally.total()} checks in {seconds:.1f} s: {words}.", style="bold red" if bad else "bold green")


def _facts(check: Check, outcome: Outcome) -> dict[str, Any]:
    return {
        "name": check.name,
        "architecture": check.thing,
        "kind": check.kind,
        "subject": check.subject,
        "outcome": outcome.word,
        "message": outcome.message,
        "seconds": round(outcome.seconds, 3),
    }
