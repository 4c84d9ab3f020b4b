"""How long `ganzoo list` takes with many plugins installed: `python .ci/time_list.py --plugins 50`.

The plugins are made for it: each a distribution of its own, with the metadata that pip would leave, in a temporary
folder that a new process has on its path.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from ganzoo.cli.framework import Command

MODULE = '''"""A plugin made to be listed."""

from collections.abc import Iterator

from ganzoo.api import ArchitectureCard, hookimpl


@hookimpl
def ganzoo_architectures() -> Iterator[ArchitectureCard]:
    yield ArchitectureCard(
        name="{name}",
        title="Made {number}",
        year=2020,
        paper="arXiv:1406.2661",
        summary="Made to be listed.",
        resolutions=(32, 64),
        licence="MIT",
        api=2,
        model="{module}.model:Made",
    )
'''


@click.command("timing", cls=Command, examples=("python .ci/time_list.py --plugins 50",))
@click.option("--plugins", type=click.IntRange(1), default=50, help="How many are made.")
@click.option("--rounds", type=click.IntRange(1), default=20, help="How often each list is taken.")
def timing(plugins: int, rounds: int) -> None:
    """Time `ganzoo list` with and without so many plugins, in turns, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        names = [make_plugin(site, number) for number in range(plugins)]
        listed = {row["name"]: row["version"] for row in json.loads(take_list(site, "--json")[1])}
        missing = [name for name in names if name not in listed]
        if missing:
            raise click.ClickException(f"{missing[0]} was not listed.")
        seconds: dict[str, list[float]] = {"with": [], "without": []}
        take_list(None)
        for _ in range(rounds):
            seconds["with"].append(take_list(site)[0])
            seconds["without"].append(take_list(None)[0])
    for what, taken in seconds.items():
        click.echo(
            f"ganzoo list, {what} {plugins} more plugins: {statistics.median(taken):.3f} s "
            f"({min(taken):.3f} to {max(taken):.3f}, {rounds} times)"
        )


def make_plugin(site: Path, number: int) -> str:
    """Installs a plugin into a folder and gives the name of its architecture."""
    name = f"made-{number:03d}"
    module = f"ganzoo_made_{number:03d}"
    version = f"1.{number}"
    package, info = site / module, site / f"{module}-{version}.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").write_text(MODULE.format(name=name, number=number, module=module), encoding="utf-8")
    readme = "What the plugin is, and how it is used. " * 100
    metadata = (
        f"Metadata-Version: 2.4\nName: ganzoo-{name}\nVersion: {version}\nRequires-Dist: ganzoo>=0.1\n\n{readme}\n"
    )
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[ganzoo]\n{name} = {module}\n", encoding="utf-8")
    (info / "INSTALLER").write_text("pip\n", encoding="utf-8")
    (info / "RECORD").write_text(f"{module}/__init__.py,,\n{info.name}/METADATA,,\n", encoding="utf-8")
    return name


def take_list(site: Path | None, *options: str) -> tuple[float, str]:
    """Seconds that `ganzoo list` took as a new process, and what it printed. Bytecode is kept, as pip's would be."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment.pop("GANZOO_PLUGINS", None)
    paths = [*([str(site)] if site else []), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "ganzoo", "list", *options]
    started = time.perf_counter()
    done = subprocess.run(
        command, env={**environment, "PYTHONPATH": os.pathsep.join(paths)}, capture_output=True, text=True,
        encoding="utf-8",
    )  # fmt: skip
    seconds = time.perf_counter() - started
    if done.returncode:
        raise click.ClickException(f"`ganzoo list` failed: {done.stderr.strip()}")
    return seconds, done.stdout


if __name__ == "__main__":
    timing()
