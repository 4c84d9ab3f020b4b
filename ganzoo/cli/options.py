"""Options that several commands share, and those of an architecture and of the trainer, made from their dataclasses."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ganzoo.cli.framework import Command
from ganzoo.contract import renamed
from ganzoo.contract.options import Option, options, typed
from ganzoo.contract.settings import GROUP_OF, TRAINING, Settings
from ganzoo.errors import GanzooError

if TYPE_CHECKING:
    from ganzoo.contract.architecture import Architecture

METAVARS = {int: "INT", float: "NUMBER", str: "TEXT", bool: "yes|no"}
_EXTRA = "ganzoo.cli.options"  # where a context keeps the options made for it

# What other programs call an option: ours, and the value where it is not the same.
SYNONYMS: dict[str, tuple[str, Callable[[str], str]]] = {
    **{f"--{word}": ("--batch-size", str) for word in ("batch", "bs", "batchsize")},
    **{f"--{word}": ("--steps", str) for word in ("iterations", "iters", "max-steps", "max-iter")},
    **{f"--{word}": ("--resolution", str) for word in ("size", "img-size", "image-size")},
    **{f"--{word}": ("--latent-dim", str) for word in ("nz", "z-dim", "latent-size")},
    **{f"--{word}": ("--augment", str) for word in ("aug", "augmentation")},
    "--learning-rate": ("--lr", str),
    "--kimg": ("--images", lambda text: f"{float(text) * 1000:.0f}"),
    "--gpus": ("--processes", str),
}
# Those of them that take no value.
FLAGS = {
    **{f"--{word}": ("--device", "cuda") for word in ("gpu", "cuda")},
    "--cpu": ("--device", "cpu"),
    **{f"--{word}": ("--precision", "bf16") for word in ("bf16", "fp16", "amp", "mixed-precision")},
}

# From the words and the options on the command line to the architecture they mean, None where they name none.
Finder = Callable[[Sequence[str], Mapping[str, str]], "type[Architecture] | None"]


device_option = click.option(
    "--device", default="auto", metavar="auto|cpu|cuda|mps", help="Where to compute. [default: auto]"
)
MAX_TIME = click.option(
    "--max-time", metavar="TIME", help="Save and stop after this long, such as 8h or 1h30m; exit code 75."
)
truncation_option = click.option(
    "--truncation", type=float, default=1.0, metavar="NUMBER", help="Less than 1: more typical, less varied images."
)


def seed_option(promise: str) -> Callable[[Any], Any]:
    """``--seed``, with what the same one gives: ``"The same seed, the same images."``"""
    return click.option("--seed", type=int, default=0, metavar="INT", help=f"{promise} [default: 0]")


quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print nothing but the paths of what is written.")
scale_option = click.option(
    "--scale", type=int, metavar="INT", help="Enlarge the images this many times. [default: up to 128 pixels a side]"
)
levels_option = click.option(
    "--levels",
    default="auto",
    metavar="auto|LOW-HIGH",
    help="Stored values that are black and white, of more than 8 bits. [default: as in training]",
)


def json_option(instead: str = "a table") -> Callable[[Any], Any]:
    """``--json``, which the function takes as `as_json`; `instead` is what is printed without it."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print JSON instead of {instead}.")


class GroupedOption(click.Option):
    """An option that stands under a heading of its own in the help."""

    def __init__(self, *args: Any, group: str, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group


class ArchitectureCommand(Command):
    """A command that also takes the options of the architecture that its arguments name.

    The arguments are looked through before they are parsed; without an architecture among them the command takes
    the trainer's options alone.
    """

    def __init__(self, *args: Any, finder: Finder, hidden_options: Iterable[str] = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.finder = finder
        self.hidden_options = frozenset(hidden_options)

    def look_at(self, ctx: click.Context, args: Sequence[str]) -> None:
        from ganzoo.cli import early

        words, given = self._peek(args)
        early.check(ctx, args, words, given, _flags(args, given))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        model = self._model(ctx, *self._peek(args))
        extra = trainer_options() if model is None else architecture_options(model)
        args = _by_present_names(args, {option.name or "" for option in extra})
        for option in extra:
            option.hidden = option.name in self.hidden_options
        ctx.meta[_EXTRA] = extra
        return super().parse_args(ctx, args)

    def _peek(self, args: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        takes_value = {
            flag
            for param in [*self.params, *trainer_options()]
            if isinstance(param, click.Option) and not param.is_flag
            for flag in param.opts
        }
        takes_value |= {f"--{old}" for old in renamed.OPTIONS} | SYNONYMS.keys()
        return peek([arg for arg in args if arg not in FLAGS], takes_value)

    def _model(self, ctx: click.Context, words: Sequence[str], given: Mapping[str, str]) -> type[Architecture] | None:
        try:
            return self.finder(words, given)
        except GanzooError:
            if ctx.resilient_parsing:  # a shell completes a word that is not all there yet
                return None
            raise

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *ctx.meta.get(_EXTRA, ())]


def _flags(args: Sequence[str], given: Mapping[str, str]) -> list[str]:
    """The options on a command line whose names are not known to be ganzoo's."""
    before = args[: args.index("--")] if "--" in args else args
    flags = [arg.partition("=")[0].replace("_", "-") for arg in before if arg.startswith("--")]
    return [flag for flag in flags if flag not in given and flag not in FLAGS and flag not in SYNONYMS]


def _by_present_names(args: Sequence[str], known: Collection[str]) -> list[str]:
    """The command line with ganzoo's names of options, today's; says so of each that has another here."""
    typed, rest = list[str](), iter(args)
    for arg in rest:
        flag, equals, value = arg.partition("=")
        word = flag.removeprefix("--").replace("_", "-")
        if arg == "--" or not flag.startswith("--") or word.replace("-", "_") in known:
            typed.append(arg if not flag.startswith("--") else f"{flag.replace('_', '-')}{equals}{value}")
            typed += rest if arg == "--" else ()
        elif f"--{word}" in FLAGS and not equals:
            meant = FLAGS[f"--{word}"]
            click.echo(f"--{word} is {' '.join(meant)} here.", err=True)
            typed += meant
        elif f"--{word}" in SYNONYMS:
            name, convert = SYNONYMS[f"--{word}"]
            value = value if equals else next(rest, "")
            with contextlib.suppress(
                ValueError
            ):  # what is no number stays as it was typed, and is refused by its option
                value = convert(value)
            click.echo(f"--{word} is {name} {value} here.", err=True)
            typed += [name, value]
        else:
            name = renamed.option(word.replace("-", "_"), known).replace("_", "-")
            if name != word:
                click.echo(f"{flag} is called --{name} now.", err=True)
            typed.append(f"--{name}{equals}{value}")
    return typed


def architecture_options(model: type[Architecture]) -> list[GroupedOption]:
    """An architecture's own options and the trainer's, with the defaults in force for it."""
    from ganzoo.plan.options import option_table

    own = f"Options of {model.__name__}"
    core = options(Settings)
    return [
        make_option(item, GROUP_OF.get(name, TRAINING) if name in core else own)
        for name, item in option_table(model).items()
    ]


def trainer_options() -> list[GroupedOption]:
    """The trainer's options, for no architecture in particular."""
    return [make_option(item, GROUP_OF.get(name, TRAINING)) for name, item in options(Settings).items()]


def make_option(item: Option, group: str) -> GroupedOption:
    """One option of a command. It hands on what was typed; `ganzoo.contract.options` reads and checks it."""
    help = item.help[:1].upper() + item.help[1:] + hint(item)
    if item.kinds == (bool,) and not item.sequence and not item.optional:
        flags = f"{item.flag}/--no-{item.flag[2:]}"
        return GroupedOption([flags, item.name], group=group, default=None, help=help)
    return GroupedOption([item.flag, item.name], group=group, metavar=metavar(item), default=None, help=help)


def metavar(item: Option) -> str:
    """What stands for the value in the help, such as ``INT``, ``ring|grid`` or ``INT,INT,…``."""
    one = "|".join(map(str, item.choices)) or "|".join(METAVARS[kind] for kind in item.kinds)
    return f"{one},…" if item.sequence else one


def hint(item: Option) -> str:
    """Default and range, in brackets; what is only kept from being negative need not be said."""
    said = item.default in (None, "") or "default: " in item.help
    parts = [] if said else [f"default: {typed(item.default)}"]
    if item.low is not None and item.high is not None and item.high < 1e9:
        parts.append(f"{item.low:g} to {item.high:g}")
    return f" [{'; '.join(parts)}]" if parts else ""


def peek(args: Sequence[str], takes_value: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """The words of a command line that are no options nor values of known options, and those options' values."""
    known: set[str] = set(takes_value)
    words: list[str] = []
    given: dict[str, str] = {}
    rest = iter(args)
    for arg in rest:
        if arg == "--":
            words += rest
        elif arg.startswith("--"):
            flag, equals, value = arg.partition("=")
            if flag in known:
                given[flag] = value if equals else next(rest, "")
        elif arg.startswith("-") and len(arg) > 1:
            if arg in known:
                given[arg] = next(rest, "")
        else:
            words.append(arg)
    return words, given


def named_architecture(words: Sequence[str], given: Mapping[str, str]) -> type[Architecture] | None:
    """The architecture that a recipe is for, else the first of the words that names one.

    Raises: UsageError when the first word should name one and does not.
    """
    recipe = given.get("--recipe")
    if not recipe and (not words or words[0].endswith(".toml")):  # such a file says itself which
        return None
    from ganzoo.catalogue.catalogue import entries, find
    from ganzoo.catalogue.single_file import is_file, named

    if not recipe:
        known = {name for entry in entries("architecture") for name in (entry.name, entry.full_name)}
        meant = next((word for word in words if word in known or is_file(word)), words[0])
        found = find("architecture", named(meant))
    from ganzoo.catalogue.components import load_architecture
    from ganzoo.plan.recipe import recipe_of

    if recipe:
        found = find("architecture", recipe_of(recipe).architecture)
    return load_architecture(found)
