"""What every command has in common: errors in one plain line, lazy loading, help with groups and examples."""

from __future__ import annotations

import contextlib
import errno
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ganzoo.errors import GanzooError, UsageError, near, printable, suggest, without_login

if TYPE_CHECKING:
    from ganzoo.catalogue.catalogue import Entry

HELP_NAMES = ("-h", "--help")
CONTEXT = {"help_option_names": list(HELP_NAMES), "max_content_width": 100}
STOPPED = 130  # the exit code after Ctrl-C, as shells have it
WORDS = "ganzoo.words"  # the command line, as a context's `meta` keeps it
PLUGIN, PLUGIN_HELP = "--plugin", "Load this Python file as a plugin as well."

# Words of other programs: the command that one means, and what to do in place of an option.
MEANT = {
    **dict.fromkeys(("generate", "infer", "inference", "predict"), "sample"),
    **dict.fromkeys(("test", "score", "eval"), "evaluate"),
    **dict.fromkeys(("rm", "delete", "uninstall"), "remove"),
    **dict.fromkeys(("ls", "archs", "models"), "list"),
    **dict.fromkeys(("info", "describe"), "show"),
    **dict.fromkeys(("gui", "demo", "ui", "serve"), "play"),
    **{"download": "add", "monitor": "watch", "continue": "resume", "convert": "export", "version": "--version"},
}
INSTEAD = {
    "--resume": "`ganzoo resume RUN` goes on with a run, and --continue with the one in --out.",
    "--label": "`ganzoo train --class LABEL` trains on one label alone; `ganzoo sample --label` asks a model for one.",
    "--class": "`ganzoo sample --label` asks for a class.",
    "--config": "--recipe FILE.toml takes options from a file.",
    "--optimizer": "Each architecture has an optimizer of its own; --lr, --beta1 and --beta2 set it.",
    **dict.fromkeys(("--workers", "--num-workers"), "Data is packed once, and then read without workers."),
}


class Command(click.Command):
    """A command whose help ends with examples, and whose options may stand in several groups.

    With `takes_plugins` it has the option --plugin FILE. The files are loaded before anything else is looked at, so
    that names in the arguments, and runs that were made with such a file, find what is in them. `elsewhere` is a
    sentence on who takes the options that people look for here.
    """

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        takes_plugins: bool = True,
        elsewhere: str = "",
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **{"context_settings": CONTEXT, **attributes})
        self.examples, self.takes_plugins, self.elsewhere = examples, takes_plugins, elsewhere
        if takes_plugins:
            self.params.append(
                click.Option([PLUGIN], metavar="FILE", multiple=True, expose_value=False, help=PLUGIN_HELP)
            )

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        files = list(values_of(PLUGIN, args)) if self.takes_plugins and not extra.get("resilient_parsing") else []
        if files:
            from ganzoo.catalogue.single_file import use_plugin

            for file in files:
                use_plugin(file)
        if not extra.get("resilient_parsing") and not {*args} & {*HELP_NAMES}:
            self.look_at(click.Context(self, parent, info_name), args)
        words = [info_name, *args]
        context = super().make_context(info_name, args, parent, **extra)
        context.meta[WORDS] = words
        if isinstance(seed := context.params.get("seed"), int):
            from ganzoo.contract.options import options
            from ganzoo.contract.settings import Settings

            options(Settings)["seed"].parse(seed)  # the same ones everywhere
        if any(letter < " " or letter == "\x7f" for letter in str(context.params.get("out") or "")):
            raise UsageError(f"{context.params['out']!r} has a line break or the like; choose another -o or --out.")
        return context

    def look_at(self, ctx: click.Context, args: Sequence[str]) -> None:
        """Refuses what it can of a command line that is about to be parsed. Raises: UsageError, or click's own."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        return _guarded(super().main, standalone_mode, *args, **extra)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                groups.setdefault(getattr(param, "group", "Options"), []).append(record)
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """The same in whatever context it is asked first: click remembers the answer."""
        return list(HELP_NAMES)

    def format_arguments(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Arguments are explained in the text above."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples" if len(self.examples) > 1 else "Example"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")


def values_of(flag: str, args: Sequence[str]) -> Iterator[str]:
    """What an option is given on a command line that is not parsed yet."""
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            return
        if arg == flag:
            yield from islice(rest, 1)
        elif arg.startswith(f"{flag}="):
            yield arg.partition("=")[2]


class Group(click.Group):
    """Commands by name, each ``(section, "module:attribute", summary)``, imported when used.

    With `takes_plugins` also those of plugins, below the group's own: a name that is taken needs its distribution's.
    """

    def __init__(
        self, *args: Any, lazy: Mapping[str, tuple[str, str, str]], takes_plugins: bool = False, **attributes: Any
    ) -> None:
        settings = {"context_settings": CONTEXT, "invoke_without_command": True, "no_args_is_help": False}
        super().__init__(*args, **{**settings, "callback": _help, **attributes})
        self.lazy, self.takes_plugins = lazy, takes_plugins

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        return _guarded(super().main, standalone_mode, *args, **extra)

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """As a command's."""
        return list(HELP_NAMES)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.lazy, *self._offered()]

    def _offered(self) -> dict[str, Entry]:
        """Plugins' commands, by what one types: `distribution:name` where the bare name would mean several."""
        if not self.takes_plugins:
            return {}
        from ganzoo.catalogue.catalogue import entries

        commands = entries("command")
        names = [*self.lazy, *(entry.name for entry in commands)]
        return {entry.full_name if names.count(entry.name) > 1 else entry.name: entry for entry in commands}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            entry = self._offered().get(cmd_name)
            return None if entry is None else _plugins_command(entry)
        module, _, attribute = self.lazy[cmd_name][1].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word == "help" and word not in self.list_commands(ctx):  # `ganzoo help train` is `ganzoo train --help`
            args = [*args[1:], HELP_NAMES[-1]]
            word = args[0]
            if word == HELP_NAMES[-1]:
                click.echo(ctx.get_help())
                ctx.exit()
        if word not in self.lazy and not word.startswith("-") and not ctx.resilient_parsing:
            offered = self._offered()
            if word not in offered and any(word in (entry.name, entry.full_name) for entry in offered.values()):
                from ganzoo.catalogue.catalogue import find

                entry = find("command", word)
                return word, _plugins_command(entry), args[1:]
            if word not in offered:
                known = [*self.lazy, *offered, "--version"]
                near = f"did you mean {meant}?" if (meant := MEANT.get(word)) in known else suggest(word, known[:-1])
                raise click.UsageError(f"There is no command {word!r}; {near}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, (section, _, summary) in self.lazy.items():
            sections.setdefault(section, []).append((name, summary))
        offered = self._offered()
        for name, entry in offered.items():
            sections.setdefault(entry.card.section, []).append((name, entry.card.summary))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)
        for name, entry in offered.items():
            if entry.name in self.lazy:
                formatter.write_paragraph()
                formatter.write_text(f"{entry.distribution} has a command {entry.name} too; type: ganzoo {name}")


def _plugins_command(entry: Entry) -> click.Command:
    """A plugin's command, with ganzoo's help, its examples and --plugin. Raises: GanzooError when there is none.

    Where its function has a parameter called `progress`, it gets what shows long work: ``with progress() as report:``;
    for one called `table` it gets what prints one: ``table(headings, rows, right=("score",))``; for one called `follow`
    what shows a training and says how to go on: ``follow(lambda display: …)``. One that takes ``**options`` takes the
    options of a training, as `ganzoo train` does, those of the architecture that its arguments name among them.
    """
    command = entry.load()
    if not isinstance(command, click.Command):
        raise GanzooError(f"The plugin of the command {entry.name} names {command!r}, which is no click.Command.")
    if isinstance(command, Command | click.Group):
        return command
    work = command.callback
    takes = {} if work is None else inspect.signature(work).parameters
    given = {
        name: what for name, what in (("progress", _progress), ("table", _table), ("follow", _follow)) if name in takes
    }
    settings: dict[str, Any] = {
        "callback": work and partial(work, **given), "params": [*command.params], "help": command.help,
        "examples": entry.card.examples,
    }  # fmt: skip
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in takes.values()):
        from ganzoo.cli.options import ArchitectureCommand, named_architecture

        return ArchitectureCommand(entry.name, finder=named_architecture, **settings)
    return Command(entry.name, **settings)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    from ganzoo.cli.progress import choose_display

    display = choose_display()
    try:
        yield display.report
    finally:
        display.close()


def _follow(work: Callable[[Any], Any]) -> None:
    from ganzoo.cli.follow import follow

    follow(work)


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> None:
    from ganzoo.cli.output import table

    table(headings, rows, right).print()


@click.pass_context
def _help(ctx: click.Context) -> None:
    """A group alone shows its help."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _guarded(work: Callable[..., Any], standalone: bool, *args: Any, **extra: Any) -> Any:
    """Runs a command; whatever goes wrong becomes one plain line on standard error and an exit code."""
    if not standalone:
        return work(*args, standalone_mode=False, **extra)
    try:
        code = work(*args, standalone_mode=False, **extra)
    except click.Abort as error:
        fail(str(error.__cause__ or "") or "Stopped.", STOPPED, prefix="")
    except click.ClickException as error:
        fail(_plain(error), error.exit_code)
    except GanzooError as error:
        _debug(error)
        fail(str(error), error.exit_code)
    except Exception as error:
        _debug(error)
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            fail(f"{error.filename} is longer than a file's name can be here; write a shorter one.", 2)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            where = error.filename or "What the command writes"
            fail(f"{where} cannot be written ({error.strerror}); make room, and type it again.", 1)
        what = f"{type(error).__name__}: {str(error).rstrip('.')}"
        author, line = _in_plugin(error)
        if author:
            fail(f"{what}, in {line} of the plugin {author}. GANZOO_DEBUG=1 shows the way there.", 1)
        fail(
            f"Something went wrong that ganzoo did not expect: {what}. "
            "Run again with GANZOO_DEBUG=1 to see where, and please report it.",
            1,
            prefix="",
        )
    sys.exit(code if isinstance(code, int) else 0)


def fail(text: str, code: int, prefix: str = "Error: ") -> NoReturn:
    """Ends the command with one line on standard error."""
    click.echo(prefix + printable(without_login(text)), err=True)
    sys.exit(code)


def _in_plugin(error: Exception) -> tuple[str, str]:
    """A plugin that is not ganzoo's, and the innermost line of its code that the error went through; "" for none."""
    from ganzoo.about import DISTRIBUTION
    from ganzoo.catalogue.catalogue import catalogue

    theirs = {each.module.split(".")[0]: each.name for each in catalogue().plugins if each.distribution != DISTRIBUTION}
    found = ("", "")
    for frame, number in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.split(".")[0] in theirs:
            file = os.path.basename(frame.f_code.co_filename)
            found = theirs[module.split(".")[0]], f"{file}, line {number}"
    return found


def _debug(error: Exception) -> None:
    if os.environ.get("GANZOO_DEBUG", "0") not in ("", "0"):
        raise error


def _plain(error: click.ClickException) -> str:
    """click's own complaints, worded as ganzoo words its own."""
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption):
        if error.option_name in INSTEAD:
            return f"There is no option {error.option_name} here. {INSTEAD[error.option_name]}"
        known = [flag for param in context.command.get_params(context) for flag in param.opts] if context else []
        known += error.possibilities or ()
        meant = " or ".join(near(error.option_name, [flag for flag in known if flag.startswith("--")]))
        text = f"There is no option {error.option_name}{f'; did you mean {meant}?' if meant else '.'}"
        if not meant and context and (elsewhere := getattr(context.command, "elsewhere", "")):
            return f"{text} {elsewhere}"
    elif isinstance(error, click.MissingParameter) and error.param is not None and context:
        text = f"{error.param.make_metavar(context).strip('[].')} is missing."
    else:
        text = error.format_message()
    if context is None:
        return text
    stop = "" if text[-1] in ".?" else "."
    return f"{text}{stop} See `{context.command_path} --help`."
