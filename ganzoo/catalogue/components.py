"""The loggers that a run tells of itself: those that `--log` names, for as long as it trains."""

from __future__ import annotations

from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import Entry, catalogue, find
from ganzoo.contract.architecture import Architecture, Loss, Penalty
from ganzoo.contract.options import build, options, parse_spec
from ganzoo.contract.settings import (
    RESERVED,
)
from ganzoo.errors import GanzooError, UsageError


def make_loggers(spec: str | None) -> dict[str, object]:
    """The loggers that a text names, joined by `+`: ``"tensorboard+wandb:project=faces"``; none for None or ``""``.

    Returns: each by the name that a complaint gives it, ready for `Catalogue.listening`.
    Raises: UsageError for an unknown name or option; GanzooError when one cannot work here (says what is missing).
    """
    made = instances(spec)
    with catalogue().listening(made):  # an author's mistake is said now, not when the first step is due
        return made


def instances(spec: str | None) -> dict[str, object]:
    """The same, not yet tried. Raises: UsageError, and whatever refuses to be made."""
    made: dict[str, object] = {}
    for part in filter(None, (spec or "").split("+")):
        name, given = parse_spec(part)
        entry = find("logger", name)
        if (title := f"logger {entry.full_name}") in made:
            raise UsageError(f"--log names {name} twice; once is enough.")
        made[title] = build(entry.load(), given, f"the logger {name}")
    return made


def make_loss(spec: str) -> Loss:
    """The loss of the catalogue that a text names, with its constants: ``"lsgan:a=-1,c=0"``; ganzoo's own of several.

    Raises: UsageError for an unknown name or constant.
    """
    name, constants = parse_spec(spec)
    loss: Loss = build(find("loss", name, near=(DISTRIBUTION,)).load(), constants, f"the loss {name}")
    return loss


def make_penalties(spec: str) -> dict[str, Penalty]:
    """The penalties that a text names, joined by `+`: ``"wgan-gp:weight=10+drift"``; none for ``""``.

    Of several plugins' penalties of one name ganzoo's own is meant.

    Raises: UsageError for an unknown name or weight.
    """
    made: dict[str, Penalty] = {}
    for part in filter(None, spec.split("+")):
        name, weights = parse_spec(part)
        made[name] = build(find("penalty", name, near=(DISTRIBUTION,)).load(), weights, f"the penalty {name}")
    return made


def load_architecture(entry: Entry) -> type[Architecture]:
    """The class of an architecture's entry, its `Config` checked.

    Raises: GanzooError when the plugin breaks the contract, in one sentence.
    """
    model = entry.load()
    if not (isinstance(model, type) and issubclass(model, Architecture)):
        raise GanzooError(f"The plugin of {entry.name} names {model!r}, which is not an Architecture.")
    try:
        names = options(model.Config)
    except (AttributeError, TypeError) as error:
        raise GanzooError(f"The Config of {entry.name} is not one that ganzoo can read: {error}") from error
    taken = RESERVED & set(names)
    if taken:
        raise GanzooError(f"The Config of {entry.name} has a field {taken.pop()!r}, an option of ganzoo's own.")
    return model
