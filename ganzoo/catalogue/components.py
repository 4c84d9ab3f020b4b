"""The loggers that a run tells of itself: those that `--log` names, for as long as it trains."""

from __future__ import annotations

from ganzoo.catalogue.catalogue import catalogue, find
from ganzoo.contract.options import build, parse_spec
from ganzoo.errors import UsageError


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
