"""What a shell offers after Tab, from the light table alone: nothing here imports torch or opens a run.

A shell's script calls `ganzoo` with the words before the cursor as arguments and `_GANZOO_COMPLETE` in the environment.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo.errors import GanzooError, UsageError
from ganzoo.files import home, written

if TYPE_CHECKING:
    from ganzoo.catalogue.catalogue import Entry

ASKED = "_GANZOO_COMPLETE"  # "plain": values; "tab": value, tab, help; "zsh": value:help
WORD = "_GANZOO_WORD"  # the word that is being typed, where a shell drops empty arguments
Row = tuple[str, str]  # what is offered, and what it is

# What an option or an argument is completed with: kinds of the catalogue, or a name of `_values`.
OPTIONS = {
    "--loss": "loss", "--penalty": "penalty", "--augment": "augmentation", "--metric": "metric", "--evaluate": "metric",
    "--keep-best": "metric", "--log": "logger", "--recipe": "recipe", "--preset": "preset", "--init": "run",
    "--on": "data",
}  # fmt: skip
ARGUMENTS = {"ARCH": "architecture", "DATA": "data", "RUN": "run", "RUN|MODEL": "run", "RUN…": "run", "NAME": "data"}

SCRIPTS = {
    "bash": """\
_ganzoo_complete() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(
        _GANZOO_COMPLETE=plain "${COMP_WORDS[0]}" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null
    )
}
complete -o default -F _ganzoo_complete ganzoo
""",
    "zsh": """\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
_ganzoo() {
    local -a rows
    rows=("${(@f)$(_GANZOO_COMPLETE=zsh "${words[1]}" "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "${rows[*]}" ]]; then _describe -V ganzoo rows; else _files; fi
}
compdef _ganzoo ganzoo
""",
    "fish": """\
function __ganzoo_complete
    set -l words (commandline -opc)
    env _GANZOO_COMPLETE=tab _GANZOO_WORD=(commandline -ct) $words[1] $words[2..] 2>/dev/null
end
complete -c ganzoo -a "(__ganzoo_complete)"
""",
    "powershell": """\
Register-ArgumentCompleter -Native -CommandName ganzoo -ScriptBlock {
    param($word, $ast, $position)
    $words = @($ast.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $position } | ForEach-Object { "$_" })
    $env:_GANZOO_COMPLETE = "tab"
    $env:_GANZOO_WORD = "$word"
    ganzoo @words | ForEach-Object {
        $value, $help = $_ -split "`t", 2
        $said = if ($help) { $help } else { $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, "ParameterValue", $said)
    }
    Remove-Item Env:_GANZOO_COMPLETE, Env:_GANZOO_WORD
}
""",
}


def answer(app: click.Group, words: Sequence[str]) -> None:
    """Prints what can stand at the cursor, a line each, as the shell wants it; nothing rather than an error."""
    if WORD in os.environ:
        words = [*words, os.environ[WORD]]
    try:
        rows = list(complete(app, words[:-1], words[-1] if words else ""))
    except Exception:  # a shell has no room for it, and whoever types will hear of it from the command itself
        return
    for value, help in rows:
        text = " ".join(help.split())
        told = {"tab": f"{value}\t{text}", "zsh": f"{value.replace(':', chr(92) + ':')}:{text}"}
        print(told.get(os.environ.get(ASKED, ""), value))


def complete(app: click.Group, words: Sequence[str], word: str) -> Iterator[Row]:
    """What can follow `words`, the arguments of `ganzoo`, and begins with `word`."""
    yield from ((value, help) for value, help in _possible(app, list(words), word) if value.startswith(word))


def _possible(app: click.Group, words: list[str], word: str) -> Iterable[Row]:
    command: click.Command = app
    context = click.Context(app, info_name="ganzoo", resilient_parsing=True)
    while isinstance(command, click.Group) and words:
        inner = command.get_command(context, words.pop(0))
        if inner is None:
            return ()
        command, context = inner, click.Context(inner, context, resilient_parsing=True)
    if isinstance(command, click.Group) and not word.startswith("-"):
        return [(name, _summary(command, name)) for name in command.list_commands(context)]
    flags = flags_of(command, context, words)
    before = words[-1] if words else ""
    if before in flags and flags[before] is not None:
        return _values(OPTIONS.get(before, flags[before] or ""), words)
    if word.startswith("-"):
        return [(flag, "") for flag in flags if flag.startswith("--") or word == "-"]
    given = _arguments(words, flags)
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    if not arguments:
        return ()
    param = arguments[min(len(given), len(arguments) - 1)]
    if len(given) >= len(arguments) and param.nargs != -1:
        return ()
    return _values(ARGUMENTS.get((param.metavar or "").strip("[]").replace("...", "…"), ""), words)


def _summary(group: click.Group, name: str) -> str:
    lazy = getattr(group, "lazy", {})
    return str(lazy[name][2]) if name in lazy else ""


def flags_of(command: click.Command, context: click.Context, words: Sequence[str]) -> dict[str, str | None]:
    """The options of a command, each with what stands for its value in the help; None: it takes none."""
    from ganzoo.cli.options import ArchitectureCommand, trainer_options
    from ganzoo.training.options import TrainOptions

    found: dict[str, str | None] = {"--help": None}
    params: list[Any] = list(click.Command.get_params(command, context))
    if isinstance(command, ArchitectureCommand):
        params += trainer_options()
        names = [*TrainOptions.__annotations__, *named_in_source(words, "Config")]
        found |= dict.fromkeys((f"--{name.replace('_', '-')}" for name in names), "")
    for param in params:
        if isinstance(param, click.Option) and not param.hidden:
            takes = None if param.is_flag or param.count else str(param.metavar or "")
            found |= dict.fromkeys((*param.opts, *param.secondary_opts), takes)
    return found


def _arguments(words: Sequence[str], flags: dict[str, str | None]) -> list[str]:
    """Those of the words that are no options, nor their values."""
    rest, given = iter(words), []
    for word in rest:
        if word.startswith("-"):
            if flags.get(word) is not None:
                next(rest, None)
        else:
            given.append(word)
    return given


def _values(kind: str, words: Sequence[str]) -> list[Row]:
    if kind == "run":
        return [(str(file.parent), "") for name in ("run", "classes", "sweep") for file in _made(name)]
    if kind == "preset":
        return [(name, "") for name in named_in_source(words, "presets") if name]
    if "|" in kind:
        return [(each, "") for each in kind.split("|") if each.islower()]
    from ganzoo.catalogue.catalogue import entries

    if kind == "data":
        added = [(file.stem, "added") for file in sorted((home() / "data").glob("*.json"))]
        return added + _rows(entries("dataset"), {name for name, _ in added})
    return _rows(entries(kind), ()) if kind else []


def _rows(found: Iterable[Entry], hidden: Iterable[str]) -> list[Row]:
    return [(entry.name, getattr(entry.card, "summary", "")) for entry in found if entry.name not in hidden]


def _made(name: str) -> list[Path]:
    """The runs below `runs`, the newest first."""
    return sorted(Path("runs").glob(f"*/{name}.json"), key=lambda file: file.stat().st_mtime, reverse=True)


def _architecture(words: Sequence[str]) -> Entry | None:
    """The first of the words that names an architecture."""
    from ganzoo.catalogue.catalogue import entries

    found = entries("architecture")
    named = {entry.name: entry for entry in found} | {entry.full_name: entry for entry in found}
    return next((named[word] for word in words if word in named), None)


def named_in_source(words: Sequence[str], what: str) -> list[str]:
    """Names that stand in the source of the architecture among the words, which is read and not run: the keys of
    `presets` ("" for one that is computed), or the fields of its classes that end in "Config".
    """
    entry = _architecture(words)
    if entry is None:
        return []
    module, _, _ = str(getattr(entry.card, "model", "")).partition(":")
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.origin:
        return []
    names: list[str] = []
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef) and what == "Config" and node.name.endswith("Config"):
            fields = [part.target for part in node.body if isinstance(part, ast.AnnAssign)]
            names += [target.id for target in fields if isinstance(target, ast.Name)]
        if what == "presets" and isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(getattr(target, "id", "").lower() == what for target in targets):
                names += [str(key.value) if isinstance(key, ast.Constant) else "" for key in node.value.keys]
    return names


def install(shell: str | None = None) -> Path:
    """Writes the script of a shell (None: the one in use) and has it read at every start. Returns: the script.

    Raises: UsageError when it is none of those known.
    """
    shell = shell or ("powershell" if os.name == "nt" else Path(os.environ.get("SHELL", "")).name)
    shell = "powershell" if shell == "pwsh" else shell
    if shell not in SCRIPTS:
        raise UsageError(f"There is no completion for {shell or 'this shell'}; say one: {', '.join(SCRIPTS)}.")
    user = Path.home()
    if shell == "fish":  # reads all that lies there
        script = Path(os.environ.get("XDG_CONFIG_HOME", user / ".config")) / "fish" / "completions" / "ganzoo.fish"
        start = None
    else:
        script = home() / f"completion.{'ps1' if shell == 'powershell' else shell}"
        start = {
            "bash": user / ".bashrc",
            "zsh": Path(os.environ.get("ZDOTDIR", user)) / ".zshrc",
            "powershell": _profile(user),
        }[shell]
    with written(script, "set GANZOO_HOME to a folder that can be written") as part:
        part.write_text(SCRIPTS[shell], encoding="utf-8")
    if start is not None:
        line = f". {shlex.quote(str(script))}" if shell != "powershell" else f". '{script}'"
        before = start.read_text(encoding="utf-8") if start.exists() else ""
        if line not in before.splitlines():
            start.parent.mkdir(parents=True, exist_ok=True)
            with start.open("a", encoding="utf-8") as file:
                file.write(f"{'' if before.endswith(chr(10)) or not before else chr(10)}{line}\n")
    return script


def _profile(user: Path) -> Path:
    """PowerShell's profile of all its hosts."""
    if os.name == "nt":
        return user / "Documents" / "PowerShell" / "profile.ps1"
    return Path(os.environ.get("XDG_CONFIG_HOME", user / ".config")) / "powershell" / "profile.ps1"


def install_option(context: click.Context, param: click.Parameter, shell: str | None) -> None:
    """``--install-completion``: writes the script, says where, and ends."""
    if shell is None or context.resilient_parsing:
        return
    from ganzoo.cli.output import wrote

    try:
        script = install(None if shell == "auto" else shell)
    except OSError as error:
        raise GanzooError(f"Completion cannot be installed: {error.strerror or error} ({error.filename}).") from error
    wrote("Tab completes ganzoo's words in the next terminal; the script is", script)
    context.exit()


def asked() -> bool:
    """Whether a shell asks."""
    return bool(os.environ.get(ASKED)) and not sys.stdout.isatty()
