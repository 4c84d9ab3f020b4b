"""What the page does: each of its buttons is a command of ganzoo's, run here, so that the command shown is the one run.

It knows nothing of a browser.
"""

from __future__ import annotations

import io
import shlex
import shutil
import threading
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

import click

from ganzoo.api import Model, UsageError, fetch_model, load_model

KEPT = 100  # results that are kept; older ones are deleted
UPLOADS = "ganzoo-play-uploads"  # the folder of what was given to the page
SIDE_BY_SIDE = "side-by-side.png"  # what `ganzoo translate` calls its sheet


@dataclass(frozen=True)
class Can:
    """What a model can do, and so what the page offers.

    Attributes:
        title: what it is, in a line.
        items: what it makes, "images"; each, writes: endings of files of one of them, "" for none, and of many.
        label: the kind of labels it takes, "" for none; labels: those that can be chosen from, as `--label` takes them.
        codes: codes of the latents, by name, as `--code` takes them.
        domains: what it translates to; relabels: it translates to labels instead.
    """

    title: str
    items: str
    each: str
    writes: tuple[str, ...]
    generate: bool
    truncation: bool
    mix: bool
    encode: bool
    each_layer: bool
    label: str
    labels: tuple[str, ...]
    codes: tuple[str, ...]
    domains: tuple[str, ...]
    relabels: bool

    @property
    def images(self) -> bool:
        return self.items == "images"

    @classmethod
    def of(cls, model: Model) -> Self:
        network, able = model.architecture, model.architecture.abilities
        data = network.data
        kind = data.label if network.conditional and data.label != "none" else ""
        kind = "choices" if "choices" in able.labels else kind
        names = {"class": data.classes, "attributes": [f"{n}={v}" for n in data.label_names for v in (1, 0)]}
        return cls(
            title=model.header.caption(0).removesuffix(" · seed 0"),
            items=model.modality.items,
            each=model.modality.each,
            writes=tuple(model.modality.writes),
            generate=able.generate,
            truncation=able.truncation,
            mix=able.mix,
            encode=able.encode,
            each_layer=bool(able.styles and network.style_layers),
            label=kind,
            labels=tuple(names.get(kind, ())),
            codes=tuple(network.codes) if able.codes else (),
            domains=model.domains,
            relabels=model.relabels,
        )


@dataclass(frozen=True)
class Made:
    """What a command made.

    Attributes:
        files: in order.
        command: what makes the same again, as one types it.
        said: what the command had to say besides.
    """

    files: list[Path]
    command: str
    said: str


class Player:
    """Runs commands on one model, one at a time, in a folder of its own that goes with it.

    Args:
        ganzoo: the command that has all others.
        source: a run, a model's file or an address.
    Raises: UsageError, GanzooError as `ganzoo.load`.
    """

    def __init__(self, ganzoo: click.Command, source: str, device: str = "auto") -> None:
        fetched = fetch_model(source)
        self.can = Can.of(load_model(fetched.path, device))
        self.source = source if fetched.path == Path(source) else fetched.address  # with the revision there is now
        self._ganzoo, self._here, self._device = ganzoo, str(fetched.path), device
        self._lock = threading.Lock()
        self.folder = Path(mkdtemp(prefix="ganzoo-play-"))
        self._made = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def make(self, words: Sequence[str], out: str) -> Made:
        """Runs ``ganzoo COMMAND MODEL WORDS -o OUT``, the first of the words being the command.

        Args:
            out: the name of a file, or of a folder if it ends with a slash.
        Raises: UsageError, GanzooError or click's own for what cannot be as asked.
        """
        command, *rest = words
        device = [] if self._device == "auto" else ["--device", self._device]
        said = io.StringIO()
        with self._lock:
            self._made += 1
            shutil.rmtree(self.folder / str(self._made - KEPT), ignore_errors=True)
            place = self.folder / str(self._made) / out
            place.parent.mkdir()
            with redirect_stdout(said):
                self._ganzoo.main(
                    [command, self._here, *rest, *device, "-o", f"{place}/" if out.endswith("/") else str(place)],
                    prog_name="ganzoo",
                    standalone_mode=False,
                )
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        lines = said.getvalue().splitlines()[:-1]  # the last one says where
        return Made(files, shown([command, self.source, *rest, *device, "-o", out]), "\n".join(lines))


def shown(words: Sequence[str]) -> str:
    """A command as one types it, uploads by their names alone."""

    def name(word: str) -> str:
        path = Path(word)
        return word if UPLOADS not in path.parts else f"./{path.name}" if path.name[0] == "-" else path.name

    return shlex.join(["ganzoo", *map(name, words)])


@dataclass(frozen=True)
class Sheet:
    """A sheet of samples, as the page asks for one."""

    count: int = 16
    seed: int = 0
    label: str = ""
    truncation: float = 1.0
    code: str = ""

    def words(self, command: str = "sample", *more: str) -> list[str]:
        """The words of a command about this sheet."""
        words = [command, "-n", str(self.count), "--seed", str(self.seed), *more]
        words += ["--label", self.label] if self.label else []
        words += ["--truncation", f"{self.truncation:g}"] if self.truncation != 1 else []
        return words + (["--code", self.code] if self.code else [])

    def one(self, index: int) -> list[str]:
        """One of its images, counted from 1."""
        return self.words("sample", "--index", str(index))

    def versions(self, index: int, count: int, strength: float) -> list[str]:
        """New versions of one of its images."""
        return [*self.one(index), "--vary", str(count), "--strength", f"{strength:g}"]

    def walk(self, first: int, second: int) -> list[str]:
        """From one of its images to another, and back. Raises: UsageError where codes were chosen."""
        if self.code:
            raise UsageError("A walk goes through latents as they are drawn; leave the codes empty for it.")
        return self.words("interpolate", "--index", f"{first},{second}")


def picked(before: Sequence[int], index: int) -> list[int]:
    """What is picked after a click on an image: a first one, then a second one, then a first one again."""
    return [*before, index] if len(before) == 1 and index not in before else [index]


def mixed(rows: int, columns: int, cutoff: int | None, seed: int, label: str = "", truncation: float = 1) -> list[str]:
    """Styles of some images with those of others."""
    words = ["mix", "--rows", str(rows), "--columns", str(columns), "--seed", str(seed)]
    words += [] if cutoff is None else ["--cutoff", str(cutoff)]
    words += ["--label", label] if label else []
    return words + (["--truncation", f"{truncation:g}"] if truncation != 1 else [])


def translated(images: Sequence[str], to: str, relabels: bool, seed: int) -> list[str]:
    """Images in another domain, or with another label. Raises: UsageError where something is left out."""
    if not images or not to:
        raise UsageError(f"Give an image, and say {'the label' if relabels else 'which domain'} to translate to.")
    return ["translate", *images, "--label" if relabels else "--to", to, "--seed", str(seed)]


def projected(
    images: Sequence[str], steps: int, versions: int, strength: float, seed: int, label: str = "", layers: bool = False
) -> list[str]:
    """The nearest image that the model makes, by descent. Raises: UsageError where not one image is given."""
    if len(images) != 1:
        raise UsageError("Give one image to project.")
    words = ["project", images[0], "--steps", str(steps), "--seed", str(seed)]
    words += ["--vary", str(versions), "--strength", f"{strength:g}"] if versions else []
    words += ["--label", label] if label else []
    return words + (["--each-layer"] if layers else [])


def encoded(images: Sequence[str], label: str = "") -> list[str]:
    """What the encoder's latents make of an image, or a walk between several. Raises: UsageError for none.

    Of one image the samples that a descent would start from are looked at as well; no step of it is made.
    """
    if not images:
        raise UsageError("Give an image to encode, or several to walk between.")
    words = ["interpolate", *images] if len(images) > 1 else ["project", images[0], "--steps", "0"]
    return [*words, *(["--label", label] if label else [])]
