"""`ganzoo doctor`."""

from __future__ import annotations

import dataclasses

import click

from ganzoo.cli.framework import Command
from ganzoo.cli.options import json_option
from ganzoo.cli.output import console, print_json, table

STYLES = {"ok": "", "absent": "dim", "warning": "yellow", "broken": "red"}


@click.command("doctor", cls=Command, takes_plugins=False, examples=("ganzoo doctor", "ganzoo doctor --json"))
@json_option()
def doctor(as_json: bool) -> None:
    """Say what this machine has and what is missing.

    For what is missing it says what to type. The exit code is 1 only when something that ganzoo needs is broken.
    """
    from ganzoo.cli.examine import examine

    findings = examine()
    healthy = all(finding.status != "broken" for finding in findings)
    if as_json:
        print_json({"ok": healthy, "checks": [dataclasses.asdict(finding) for finding in findings]})
    else:
        shown = table(("what", "status", "found"), ())
        for finding in findings:
            shown.add_row(finding.name, finding.status, finding.found, style=STYLES[finding.status])
        out = console()
        shown.print()
        for finding in findings:
            if finding.advice and finding.status != "absent":
                out.print(f"{finding.name}: {finding.advice}", style=STYLES[finding.status])
        if absent := [finding.advice for finding in findings if finding.advice and finding.status == "absent"]:
            out.print(f"extras: for each that you want, {absent[0]}", style=STYLES["absent"])
        out.print("Everything that ganzoo needs is there." if healthy else "Something that ganzoo needs is broken.")
    if not healthy:
        raise click.exceptions.Exit(1)
