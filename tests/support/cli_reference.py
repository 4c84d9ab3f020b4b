"""docs/cli.md from the help of every command: `PYTHONPATH=tests python -m support.cli_reference > docs/cli.md`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ganzoo.cli.app import app

WIDTH = 100
HEAD = """# The command line

Generated from the commands' own help by `PYTHONPATH=tests python -m support.cli_reference > docs/cli.md`; a test keeps
it current.

Every command that prints a table also takes `--json`, which prints one JSON value and nothing else. A command that
fails says so in one line on standard error; its exit code is 2 when what was asked cannot be done as asked, 1 when
something failed, and 130 after Ctrl-C. Training that saved because of SIGTERM, SIGHUP or `--max-time` ends with 75,
"resume me": `ganzoo resume RUN` goes on. Where the time was over while data was still packed, it ends with 75 too, and
the same command goes on. A hangup that was ignored from the start, as by `nohup`, is ignored.
`GANZOO_DEBUG=1` shows where an error came from, `NO_COLOR=1` takes away the colours, `GANZOO_HOME` says where data
sets are kept (`~/.ganzoo` unless it is set), `GANZOO_PLUGINS=a,b` loads those plugins alone, and `GANZOO_TRACE=1`
says each call of a plugin while it happens."""

ARCHITECTURE = "dcgan"  # whose options stand for everyone's
TRAIN_TEXT = f"With the name of an architecture, the help lists its own options too. For {ARCHITECTURE}:"


def pages() -> Iterator[tuple[str, str]]:
    """Each command as one types it, and its help; groups before what is in them."""
    root = context(app, None, "ganzoo")
    yield "ganzoo", app.get_help(root)
    yield from _below(app, root)


def _below(group: click.Group, above: click.Context) -> Iterator[tuple[str, str]]:
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command is not None
        ctx = context(command, above, name)
        yield ctx.command_path, command.get_help(ctx)
        if isinstance(command, click.Group):
            yield from _below(command, ctx)


def context(command: click.Command, above: click.Context | None, name: str, *words: str) -> click.Context:
    """A command's context after these words, as wide as the page whatever the terminal."""
    return command.make_context(
        name, list(words), parent=above, resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )


def architecture_page() -> str:
    """The help of `ganzoo train` for one architecture."""
    root = context(app, None, "ganzoo")
    train = app.get_command(root, "train")
    assert train is not None
    return train.get_help(context(train, root, "train", ARCHITECTURE))


def document() -> str:
    """The whole of docs/cli.md."""
    parts = [HEAD]
    for path, text in pages():
        parts.append(f"## {path}\n\n```text\n{text}\n```")
        if path == "ganzoo train":
            parts.append(f"{TRAIN_TEXT}\n\n```text\n{architecture_page()}\n```")
    lines = "\n\n".join(parts).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


if __name__ == "__main__":
    print(document(), end="")
