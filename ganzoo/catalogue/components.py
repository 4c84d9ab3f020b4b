"""What options name, made: losses, penalties, augmentations, loggers, architectures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import Entry, catalogue, find
from ganzoo.catalogue.modalities import modality_card
from ganzoo.contract.abilities import Abilities
from ganzoo.contract.architecture import Architecture, Loss
from ganzoo.contract.augmentation import Augmentations
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.options import build, option, options, parse_spec
from ganzoo.contract.penalties import Penalties, Penalty
from ganzoo.contract.settings import FIT, RESERVED
from ganzoo.errors import GanzooError, UsageError, suggest


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
    for name, given in _joined(spec):
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


@dataclass(frozen=True)
class _Core:
    """What the core itself asks of every penalty."""

    every: int = option(1, "turns of D between two of the penalty's", low=1)


def make_penalties(spec: str) -> Penalties:
    """The penalties that a text names, joined by `+`: ``"wgan-gp:weight=10+drift"``; none for ``""`` or ``"none"``.

    Each takes ``every=k`` besides its own weights: it is lazy then. Of several plugins' penalties of one name ganzoo's
    own is meant.

    Raises: UsageError for an unknown name or weight, and for lazy penalties of different intervals.
    """
    made, lazy = dict[str, Penalty](), dict[str, int]()
    for name, weights in _joined(spec):
        lazily = {key: weights.pop(key) for key in ("every",) if key in weights}
        every = build(_Core, lazily, f"the penalty {name}").every
        if every > 1:
            lazy[name] = every
        made[name] = build(find("penalty", name, near=(DISTRIBUTION,)).load(), weights, f"the penalty {name}")
    return Penalties(made, lazy)


def make_augmentation(spec: str, modality: str = "image") -> Augmentations:
    """The augmentations that a text names, joined by `+`: ``"diffaug:cutout=no+ada:target=0.6"``; none for ``"none"``.

    Of several plugins' augmentations of one name ganzoo's own is meant.

    Args:
        modality: what the items are.
    Raises: UsageError for an unknown name or option, and for one that is not for such items.
    """
    made = dict[str, Any]()
    for name, given in _joined(spec):
        entry = find("augmentation", name, near=(DISTRIBUTION,))
        if modality not in entry.card.modalities:
            items = " and ".join(modality_card(each).items for each in entry.card.modalities).capitalize()
            raise UsageError(f"{items} can be augmented, and this data set has none; use --augment none.")
        made[name] = build(entry.load(), given, f"the augmentation {name}")
    return Augmentations(made)


def _joined(spec: str | None) -> Iterator[tuple[str, dict[str, str]]]:
    """The names, each with its options, that a text joins by `+`; none for ``"none"``."""
    given = "" if spec is None or spec == "none" else spec
    parsed = [parse_spec(each) for each in given.split("+") if each]
    names = [name for name, _ in parsed]
    if again := next((name for name in names if names.count(name) > 1), ""):
        raise UsageError(f"{spec} names {again} twice; once is enough.")
    return iter(parsed)


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
    if not isinstance(model.abilities, Abilities):
        raise GanzooError(f"The abilities of {entry.name} are no Abilities; write abilities = Abilities(…).")
    if entry.card.api == 1:
        model.abilities = _derived_abilities(model)
    taken = RESERVED & set(names)
    if taken:
        raise GanzooError(f"The Config of {entry.name} has a field {taken.pop()!r}, an option of ganzoo's own.")
    if FIT in model.presets:
        raise GanzooError(f"{entry.name} has a preset {FIT!r}, which ganzoo chooses itself; it needs another name.")
    return model


def make_generator(spec: str, data: DataSpec) -> Architecture:
    """An architecture that makes images from noise, with its generators alone: ``"dcgan"``, ``"dcgan:digits-32"``.

    Args:
        spec: its name and a preset of its own, of which the trainer's options do not count.
    Raises: UsageError for an unknown one, and for one that takes labels, grows, or makes nothing from noise.
    """
    name, _, preset = spec.rpartition(":") if ":" in spec else (spec, "", "")
    model = load_architecture(find("architecture", name))
    if preset and preset not in model.presets:
        raise UsageError(f"{name} has no preset {preset!r}; {suggest(preset, model.presets)}")
    alone = f"it makes no {data.modality}s from noise alone, or grows; choose another"
    refused = UsageError(f"The generator of {name} is not taken: {alone}.")
    able = model.abilities
    if not able.generate or able.labels or (model.modalities and data.modality not in model.modalities):
        raise refused
    own = options(model.Config)
    given = {key: value for key, value in model.presets.get(preset, {}).items() if key in own}
    shape = {"resolution": data.height, "channels": data.channels}
    made = model(build(model.Config, given | {key: shape[key] for key in shape if key in own}, name), data)
    if made.latent_dim is None or made.conditional or model.phase is not Architecture.phase:
        raise refused
    for child, _ in list(made.named_children()):
        if child not in model.generators:
            delattr(made, child)
    return made


def _derived_abilities(model: type[Architecture]) -> Abilities:
    """Those of a class of contract 1: what it declares or inherits, and what it defines besides."""
    own, table = Architecture, model.abilities
    defined = {name: getattr(model, name) is not getattr(own, name) for name in ("mix", "translate", "realness")}
    abilities = {name: getattr(table, name) or here for name, here in defined.items()}
    abilities["generate"] = not abilities["translate"] or model.generate is not own.generate
    abilities["truncation"] = table.truncation or model.generate is not own.generate
    abilities["styles"] = table.styles or (model.mapping is not own.mapping and model.synthesis is not own.synthesis)
    said: Any = model.conditional  # the property, unless the class has a flag of its own in its place
    return replace(table, **abilities, labels=frozenset({"class"}) if said is True else table.labels)
