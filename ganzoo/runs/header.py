"""What run.json and a model file say of themselves, and what they need to be opened."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any

from ganzoo import data
from ganzoo.about import DISTRIBUTION
from ganzoo.catalogue.catalogue import Entry, catalogue, find
from ganzoo.catalogue.single_file import reopen
from ganzoo.errors import GanzooError, UsageError
from ganzoo.runs.run import FORMAT, Run


def check_facts(facts: Mapping[str, Any], what: str) -> None:
    """Raises: GanzooError when a header, which may be a stranger's, does not say what a model is, and of what data."""
    if "counters" in facts:
        raise GanzooError(f"{what} is a checkpoint of training; give its run's folder, or its model.safetensors.")
    data, files = facts.get("data"), facts.get("plugin_files", [])
    lists = (("shape", int), ("classes", str), ("domains", str))
    if (
        not (isinstance(facts.get("config"), dict) and isinstance(data, dict))
        or not all(isinstance(data.get(key), list) for key, _ in lists)
        or not all(isinstance(item, kind) for key, kind in lists for item in data[key])
        or not all(isinstance(data.get(key), str) for key in ("name", "origin"))
        or not isinstance(data.get("modality", ""), str)
        or not isinstance(data.get("state") or {}, dict)
        or not (isinstance(files, list) and all(isinstance(file, dict) for file in files))
        or not all(isinstance(file.get(key), str) for file in files for key in ("path", "sha256"))
        or not all(isinstance(file.get("offers"), list) for file in files)
    ):
        raise GanzooError(f"{what} does not say its options and what data it is of; it is no model of ganzoo's.")


def architecture_of(facts: Mapping[str, Any], what: str) -> Entry:
    """The catalogue's entry for the architecture that a run's or model's facts name.

    Raises: GanzooError when it is not installed, its file must be given anew, or all of it is of a newer ganzoo.
    """
    if facts.get("format", 0) > FORMAT:
        raise GanzooError(f"{what} was made by a newer ganzoo ({facts.get('ganzoo')}); upgrade this one to open it.")
    words = [facts.get(key, "") for key in ("architecture", "distribution", "version")]
    name, distribution, version = words
    files = facts.get("plugin_files", [])
    for file, plugin in zip(files, reopen(files, what), strict=True):
        if file["path"] == distribution:
            return plugin.architecture(name)
    if not all(isinstance(word, str) and re.fullmatch(r"\w[\w.+!-]*", word) for word in words):
        raise GanzooError(f"{what} does not say which architecture it is of; it is no model of ganzoo's.")
    with contextlib.suppress(UsageError):
        return find("architecture", f"{distribution}:{name}")
    for broken in catalogue().plugins:
        if broken.error and broken.distribution == distribution:
            raise GanzooError(f"{what} is a {name!r} of {distribution}, which does not work here: {broken.error}.")
    with contextlib.suppress(UsageError):  # ganzoo's own distribution may have been renamed, and only that
        return find("architecture", f"{DISTRIBUTION}:{name}")
    ours = distribution == DISTRIBUTION
    advice = "upgrade ganzoo" if ours else f"install it: pip install '{distribution}=={version}'"
    raise GanzooError(
        f"{what} is a {name!r}, an architecture of {distribution} {version}, which is not installed; {advice}."
    )


def data_of(facts: Mapping[str, Any]) -> str:
    """The name of the data set that a run's or model's "data" facts name, now that others may offer that name too."""
    name, distribution = facts["name"], facts.get("distribution")
    return data.meant(name, (distribution,)) if distribution else str(name)


def model_facts(run: Run, config: Mapping[str, Any], step: int, images: int) -> dict[str, Any]:
    """The header of a run's model.safetensors: everything that sampling from it needs, and where it came from."""
    keys = ("format", "ganzoo", "architecture", "distribution", "version", "preset", "data", "seed")
    files = {"plugin_files": run.facts.get("plugin_files", [])}
    origin = {"run": run.name, "step": step, "images": images, "ema": run.facts["settings"]["ema"]}
    return {**{key: run.facts[key] for key in keys}, **files, "config": dict(config), **origin}
