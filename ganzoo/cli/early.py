"""What a command line gets wrong, as far as that can be said without torch: from the light table, and from sources that
are read and not run.

It need not find everything, since all is checked again when the architecture is loaded.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganzoo.about import DISTRIBUTION
from ganzoo.cli.completion import flags_of, named_in_source
from ganzoo.cli.framework import INSTEAD, values_of
from ganzoo.contract import renamed
from ganzoo.contract.options import options, parse_spec
from ganzoo.contract.settings import AUTO, FIT, LENGTHS, Settings, parse_resolution, parse_time
from ganzoo.errors import UsageError, suggest
from ganzoo.files import home
from ganzoo.plan.lookup import find_architecture

if TYPE_CHECKING:
    from ganzoo.catalogue.catalogue import Entry

# Options of most architectures whose values are in the catalogue, and of which kind they are there.
NAMED = {"loss": "loss", "penalty": "penalty", "augment": "augmentation"}

# Modules that hold no options of an architecture, and how many files of another package are looked through.
_PASSED_OVER = {*sys.stdlib_module_names, "torch", "torchvision", "numpy", "PIL"}
_MOST_FILES = 60


def check(
    ctx: click.Context, args: Sequence[str], words: Sequence[str], given: Mapping[str, str], flags: Sequence[str]
) -> None:
    """Raises: UsageError, or click's own, for what cannot be, of a command that takes an architecture's options.

    Args:
        args: the command line; words: those of it that are no options; given: options with their values.
        flags: every option of the command line, as typed.
    """
    from ganzoo.catalogue.catalogue import entries

    values = {flag[2:].replace("-", "_"): value for flag, value in given.items()}
    values |= {name: value for name in NAMED for value in values_of(f"--{name}", args)}
    named = {name: entry for entry in entries("architecture") for name in (entry.name, entry.full_name)}
    if words and words[0] not in named and (strange := [flag for flag in flags if flag in INSTEAD]):
        raise click.NoSuchOption(strange[0], ctx=ctx)  # what follows it is taken for the architecture
    if not words or "--recipe" in given:
        return
    if "[DATA]" in (param.metavar for param in ctx.command.params) and words[1:2] and [*args[:2]] == [*words[:2]]:
        if words[0] not in named and words[1] in named:
            find_architecture(*words[:2])
        if not words[0].partition(".py:")[0].endswith(".py"):  # a file may offer the data set too
            _check_data(words[1])
    if words[0] not in named:
        return
    _check_values(values, named[words[0]])
    _check_names(ctx, named[words[0]], flags)


def _check_data(name: str) -> None:
    from ganzoo.catalogue.catalogue import entries

    bare = parse_spec(name)[0]
    known = {name for entry in entries("dataset") for name in (entry.name, entry.full_name)}
    if bare not in known and not (home() / "data" / f"{bare}.json").exists():
        from ganzoo.data.store import info

        info(name)


def _check_values(given: Mapping[str, str], entry: Entry) -> None:
    from ganzoo.catalogue.catalogue import find

    for name, item in options(Settings).items():
        if name in given and (name, given[name]) != ("batch_size", AUTO):
            item.parse(given[name])
    if "resolution" in given:
        parse_resolution(given["resolution"])
    if "max_time" in given:
        parse_time(given["max_time"])
    if len([name for name in LENGTHS if name in given]) > 1:
        raise UsageError("Give one of --epochs, --images and --steps, not several.")
    for metric in filter(None, given.get("evaluate", "").split(",")):
        find("metric", parse_spec(metric.strip())[0])
    for logger in filter(None, given.get("log", "").split("+")):
        if logger != "none":
            find("logger", parse_spec(logger)[0])
    for option, kind in NAMED.items():
        for spec in filter(None, given.get(option, "").split("+")):
            name = parse_spec(spec)[0]
            flag_or_choice = _may_say(entry, name) or _may_say(entry, f"{option}: bool")  # of the Config's own
            if name != "none" and not flag_or_choice:
                find(kind, name, near=(DISTRIBUTION,))
    preset = given.get("preset")
    if preset not in (None, FIT) and not _may_say(entry, preset or ""):
        known = named_in_source([entry.name], "presets")
        if known and all(known):  # else some are computed
            raise UsageError(f"{entry.name} has no preset {preset!r}; {suggest(preset or '', known)}")


def _check_names(ctx: click.Context, entry: Entry, flags: Sequence[str]) -> None:
    unknown = [flag for flag in flags if not _may_say(entry, _field(flag)) and _field(flag) not in renamed.OPTIONS]
    known = flags_of(ctx.command, ctx, [entry.name]) if unknown else {}
    for flag in unknown:
        if flag not in known:
            raise click.NoSuchOption(flag, possibilities=list(known), ctx=ctx)


def _field(flag: str) -> str:
    return flag.removeprefix("--").removeprefix("no-").replace("-", "_")


def _may_say(entry: Entry, word: str) -> bool:
    """Whether a word stands in the sources that an architecture's options may come from; True when in doubt."""
    text = _sources(str(getattr(entry.card, "model", "")).partition(":")[0].partition(".")[0])
    return text is None or re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


@cache
def _sources(package: str) -> str | None:
    """The sources of a package, of what it imports, and of the core's bases; None: some are unknown."""
    core = Path(__file__).parents[1]
    files = [*core.glob("gan/*.py"), core / "contract" / "architecture.py"]
    texts = [file.read_text(encoding="utf-8") for file in files]
    left, seen = [package], {*_PASSED_OVER, core.name}
    while left:
        if (name := left.pop()) in seen:
            continue
        seen.add(name)
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            return None
        if spec is None or not spec.origin or not spec.origin.endswith(".py"):
            return None
        file = Path(spec.origin)
        mine = sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
        if len(mine) > _MOST_FILES:
            return None
        for each in mine:
            text = each.read_text(encoding="utf-8", errors="replace")
            texts.append(text)
            left += _imports(text)
    return "\n".join(texts)


def _imports(text: str) -> set[str]:
    """The packages that a source imports."""
    try:
        nodes = [*ast.walk(ast.parse(text))]
    except (SyntaxError, ValueError):
        return set()
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in names}
