"""Models between people: `push` publishes a run's model with a page about it, `pull` fetches somebody's."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ganzoo.api import (
    Measured,
    Model,
    ModelHeader,
    Report,
    Run,
    UsageError,
    architecture_of,
    as_json,
    destination,
    fetch_model,
    is_remote,
    load_model,
    load_tensors,
    model_header,
    save_tensors,
    sheet,
    silent,
    stem,
    written,
)
from ganzoo_hub.page import Published, model_card

MODEL = "model.safetensors"
PAGE, PICTURE, FACTS = "README.md", "samples.png", "run.json"
SHOWN = 64  # images on the sheet of samples, as `ganzoo sample` makes it
# The folders of a path in a text: from where it begins, behind a blank, a quote, a bracket or one of = + , to the last
# separator there is, since names of folders may have blanks in them. URLs begin otherwise.
_FOLDERS = re.compile(
    r"""(?:^|(?<=[\s'"(=+,]))(?:file:/|~|\.\.|[A-Za-z]:)?[\\/](?=\S)(?:.*[\\/](?=[^\\/]))?""", re.DOTALL
)


# What is behind an address's ? or before its @: keys, as a rule.
_SECRETS = re.compile(
    r"""(\b[a-z][a-z0-9+.-]*://)[^\s/@'"]*@|(\b[a-z][a-z0-9+.-]*://[^\s?#'"]*)[?#][^\s'"]*""", re.IGNORECASE
)
_TAKEN = re.compile(r"(.* taken from )(.*?)((?:; .* begin anew)?\.)", re.DOTALL)  # what `--init` came to
_ADDED = "added by the user"
_NAMED_ADDED = re.compile(rf"{_ADDED}: torchvision's \w+")


@dataclass(frozen=True)
class Pulled:
    """A model fetched: its file here, where it came from, the file's SHA-256 and what its header says."""

    file: Path
    address: str
    sha256: str
    header: ModelHeader


def push(
    run: str | os.PathLike[str] | Run,
    to: str,
    *,
    private: bool = False,
    licence: str = "",
    samples: bool = True,
) -> str:
    """Publishes a run's model: model.safetensors, a page about it, a sheet of samples, and run.json without paths.

    Args:
        to: ``hf://user/name``, made if it is not there; or a new folder, to look at first or to publish otherwise.
        private: make it so that only you see it, where it is made.
        licence: of the weights, as SPDX writes it, for the page.
        samples: with the sheet; of a model that translates it shows images of the data set.
    Returns: where it is now.
    Raises: UsageError when there is no such run or place; GanzooError when it cannot be published.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    if not run.model_file.exists():
        raise UsageError(f"{run.path} has no model yet; it is written after the first step.")
    publish = destination(to)
    with TemporaryDirectory(prefix="ganzoo-push-") as folder:
        gather(run, Path(folder), to, licence, samples)
        return publish(Path(folder), to, private)


def preview(
    run: str | os.PathLike[str] | Run, to: str, *, licence: str = "", samples: bool = True
) -> tuple[dict[str, int], str]:
    """What `push` would publish: each file with its bytes, and what run.json would say. Nothing is sent, or asked.

    Raises: UsageError when there is no such run.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    if not run.model_file.exists():
        raise UsageError(f"{run.path} has no model yet; it is written after the first step.")
    with TemporaryDirectory(prefix="ganzoo-push-") as name:
        folder = Path(name)
        gather(run, folder, to, licence, samples)
        sizes = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
        return sizes, (folder / FACTS).read_text(encoding="utf-8")


def gather(run: Run, folder: Path, to: str, licence: str = "", samples: bool = True) -> None:
    """Writes what is published of a run into a folder: all of it, and nothing else."""
    file = folder / MODEL
    shutil.copyfile(run.model_file, file)
    tensors, facts = load_tensors(file)
    model_of = model_header(facts, str(run.path))
    card = architecture_of(model_of, str(run.path)).card  # a single file's by its path, which is not published
    model = load_model(file, device="cpu")
    picture = samples and _draw(run, model, folder / PICTURE)
    settings = dataclasses.replace(run.header.settings, log=None)
    described = public(dataclasses.replace(run.header, process=None, settings=settings))
    header = public(model_of)
    if header != model_of:
        save_tensors(file, tensors, as_json(header))
    (folder / FACTS).write_text(json.dumps(as_json(described), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    page = model_card(
        Published(
            title=(stem(to) if is_remote(to) else "") or run.name,
            source=to if is_remote(to) else MODEL,
            card=card,
            run=described,
            model=header,
            scores=_scores(run, header.step),
            picture=PICTURE if picture else "",
            licence=licence or header.licence,
            sha256=sha256(file),
        )
    )
    (folder / PAGE).write_text(page, encoding="utf-8")


def pull(source: str | os.PathLike[str], out: str | os.PathLike[str] | None = None, report: Report = silent) -> Pulled:
    """Fetches a model into a file of yours, checked against the hash that its server states and its own.

    Args:
        source: ``hf://user/name[@revision]``, a URL (``…#sha256=`` checks another hash), a file, or a run's folder.
        out: the file; None: named after the source, in the working folder.
        report: told how a download goes on.
    Raises: UsageError when there is another file of that name; GanzooError when it cannot be fetched, was altered, or
        is no model of ganzoo's. Its architecture need not be installed.
    """
    found = fetch_model(source, report)
    if not found.path.exists():
        raise UsageError(f"There is no model {source}; give hf://USER/NAME, a URL, a file or a run's folder.")
    path = found.path / MODEL if found.path.is_dir() else found.path
    _, facts = load_tensors(path, str(source) if is_remote(source) else None)
    header = model_header(facts, str(source))
    name = found.path.name if found.path.is_dir() else stem(source)
    target = Path(out) if out is not None else Path(f"{name}.safetensors")
    if target.exists() and not (target.is_file() and sha256(target) == sha256(path)):
        raise UsageError(f"{target} exists already and is another; choose another name with -o.")
    with written(target) as part:
        shutil.copyfile(path, part)
    return Pulled(target, found.address, sha256(target), header)


def public(value: Any) -> Any:
    """A header, or a part of one, without folders of this machine, passwords, and names of the user's own files."""
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, float)):
        return dataclasses.replace(
            value, **{each.name: _public_field(each.name, getattr(value, each.name)) for each in fields(value)}
        )
    if isinstance(value, Mapping):
        return {name: _public_field(name, each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(public(each) for each in value)
    return _FOLDERS.sub("", _without_secrets(value)) if isinstance(value, str) else value


def _without_secrets(text: str) -> str:
    once = _SECRETS.sub(lambda found: found[1] or found[2], text)
    return once if once == text else _without_secrets(once)


def _public_field(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return public(value)
    if name == "origin" and value.startswith(_ADDED):  # what follows is the name of a folder or file
        return value if _NAMED_ADDED.fullmatch(value) else _ADDED
    if name == "recipe" and value.endswith(".toml"):
        return "a recipe of the user's"
    if name == "init" and not is_remote(value):
        return "a model of the user's"
    if name == "taken" and (found := _TAKEN.fullmatch(value)) and not is_remote(found[2]):
        return f"{found[1]}a model of the user's{found[3]}"
    return public(value)


def _draw(run: Run, model: Model, file: Path) -> bool:
    """A sheet as `ganzoo sample` makes it; of a model that translates, the newest of its training, if there is one."""
    if model.architecture.abilities.generate and not model.domains:
        count = model.modality.shown or SHOWN
        sheet(model.sample(count, seed=0), caption=model.header.caption(0)).save(file)
        return True
    folder = run.path / "samples"
    sheets = [*folder.glob("epoch-*.png"), *folder.glob("step-*.png")]
    if sheets:
        shutil.copyfile(max(sheets, key=lambda each: each.stat().st_mtime), file)
    return bool(sheets)


def _scores(run: Run, step: int) -> list[Measured]:
    """The newest value of each score of the model of this step, measured against the data that it was trained on."""
    mine = (MODEL, run.header.data.fingerprint)
    measured = [score for row in run.scores() if row["step"] == step for score in row["metrics"]]
    found = {
        score["name"]: public(score)
        for score in measured
        if (score["protocol"]["model"], score["protocol"]["fingerprint"]) == mine
    }
    return list(found.values())


def sha256(file: Path) -> str:
    """A file's SHA-256, in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
