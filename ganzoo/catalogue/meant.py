"""What a word is that was given where something else was asked for, and the command that it belongs to."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from ganzoo.catalogue.catalogue import entries
from ganzoo.files import home

RUN, DATASET, ARCHITECTURE = "run", "dataset", "architecture"

# What is asked for, and what lists those there are.
_WANTED = {
    RUN: ("a run", "`ganzoo runs` lists the runs"),
    DATASET: ("a data set", "`ganzoo data list` lists the data sets"),
    ARCHITECTURE: ("an architecture", "`ganzoo list` lists the architectures"),
    "recipe": ("a recipe", "`ganzoo list --recipes` lists the recipes"),
    "loss": ("a loss", "`ganzoo list --losses` lists the losses"),
    "penalty": ("a penalty", "`ganzoo list --penalties` lists the penalties"),
    "augmentation": ("an augmentation", "`ganzoo list --augmentations` lists the augmentations"),
}

# What a name may be of, and what to do with it.
_NAMES = {
    ARCHITECTURE: ("an architecture", "`ganzoo show {0}` shows it"),
    DATASET: ("a data set", "`ganzoo data show {0}` shows it"),
    "recipe": ("a recipe", "`ganzoo train --recipe {0}` trains by it"),
    "loss": ("a loss", "--loss {0} takes it"),
    "penalty": ("a penalty", "--penalty {0} takes it"),
    "augmentation": ("an augmentation", "--augment {0} takes it"),
    "metric": ("a metric", "--evaluate {0} takes it"),
    "logger": ("a logger", "--log {0} takes it"),
}


def instead(wanted: str, word: str | os.PathLike[str]) -> str:
    """A sentence on what `word` is, where a run or a thing of another kind was `wanted`.

    "" when it is nothing known, or what was wanted.
    """
    text = os.fspath(word)
    place, shown = Path(text), shlex.quote(text)
    title, those = _WANTED[wanted]
    if wanted != RUN and (place / "run.json").is_file():
        return f"{text} is a run, not {title}; `ganzoo runs {shown}` shows it, `ganzoo resume {shown}` goes on with it."
    if wanted == RUN and "://" in text:
        return f"{text} is an address, where only models are, and this takes a run; `ganzoo pull {shown}` fetches one."
    run = next((folder for folder in place.parents if (folder / "run.json").is_file()), None)
    if run is not None and place.exists():
        here = f"`ganzoo runs {shlex.quote(str(run))}` shows the run"
        return f"{text} is part of the run {run}, not {title}; {f'give {run}' if wanted == RUN else here}."
    if place.suffix == ".safetensors" and place.is_file():
        more = f"`ganzoo sample {shown}` makes new ones with it, and --init {shown} starts a training from it"
        return f"{text} is a model without its run, not {title}; {more}."
    if place.is_dir() and any(place.glob("*/run.json")):
        return f"{text} is a folder of runs, not {title}; `ganzoo runs {shown}` lists them."
    bare = text.partition(":")[0]
    of_a_game = wanted in ("loss", "penalty", "augmentation")  # where wgan-gp is rather a penalty than an architecture
    for kind in sorted(_NAMES, key=lambda kind: of_a_game and kind in (ARCHITECTURE, DATASET)):
        called, advice = _NAMES[kind]
        known = {name for entry in entries(kind) for name in (entry.name, entry.full_name)}
        added = kind == DATASET and Path(bare).name == bare and (home() / "data" / f"{bare}.json").is_file()
        if kind != wanted and (text in known or bare in known or added):
            return f"{text} is {called}, not {title}; {advice.format(shown)}, {those}."
    if wanted in (ARCHITECTURE, DATASET) and text and place.exists():
        return (
            f"{text} is a file or folder, not {title}; `ganzoo data add NAME {shown}` makes a data set of it, {those}."
        )
    if wanted == "recipe" and place.is_file():
        return f"{text} is a file, but no TOML file as recipes are; {those}."
    return ""
