"""`ganzoo plugins new`: writes a distribution with a plugin, from the files in `template/`.

The templates are working plugins themselves, called my-gan, my-data and so on. To write one is to copy it with another
name in place of its own, in all its spellings.
"""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass
from pathlib import Path

from ganzoo.catalogue.catalogue import KINDS as CATALOGUE_KINDS
from ganzoo.catalogue.catalogue import catalogue
from ganzoo.errors import UsageError, suggest
from ganzoo.files import explained
from ganzoo.scaffold.guesses import facts

TEMPLATES = Path(__file__).with_name("template")
COMMON = "my-gan"  # what files of all kinds call it
# kind of plugin -> what its template calls it
KINDS = {
    "architecture": "my-gan",
    "dataset": "my-data",
    "loss": "my-loss",
    "penalty": "my-penalty",
    "augmentation": "my-augmentation",
    "metric": "my-metric",
    "logger": "my-logger",
    "modality": "my-modality",
    "scheme": "my-scheme",
    "command": "my-command",
    "recipe": "my-recipe",
}
TASKS = ("unconditional", "conditional", "translation")
# file of the distribution -> the template it is made from, for every kind
FILES = {
    "pyproject.toml": "pyproject.toml",
    "LICENSE": "LICENSE",
    "CHANGELOG.md": "CHANGELOG.md",
    ".gitignore": "gitignore",
    ".github/workflows/test.yml": "test.yml",
    "tests/test_my_gan.py": "test_my_gan.py",
}
_NAME = re.compile(r"[a-z][a-z0-9]*([-_.][a-z0-9]+)*")
LONGEST = 32  # characters of a name


@dataclass(frozen=True)
class Spelling:
    """A plugin's name as it stands in code and text: ``my-gan``, ``my_gan``, ``MyGAN``, ``My GAN``.

    title: the last of them where it is not what one would guess, ``BEGAN``; the class is called after it.
    """

    name: str
    title: str = ""

    @property
    def module(self) -> str:
        return re.sub(r"[-.]", "_", self.name)

    @property
    def words(self) -> list[str]:
        return [_capitals(word) for word in re.split(r"[-_.]", self.name)]

    @property
    def all(self) -> tuple[str, str, str, str]:
        words = self.words
        title = " ".join([words[0], *(word if word.endswith("GAN") else word.lower() for word in words[1:])])
        return self.name, self.module, re.sub(r"\W+", "", self.title) or "".join(words), self.title or title


def _capitals(word: str) -> str:
    """``style`` is Style, ``stylegan`` is StyleGAN."""
    return word.removesuffix("gan").capitalize() + "GAN" if word.endswith("gan") else word.capitalize()


def write_plugin(
    name: str,
    *,
    kind: str = "architecture",
    task: str = "unconditional",
    title: str = "",
    out: str | Path | None = None,
) -> Path:
    """Writes a distribution ``ganzoo-NAME`` with a plugin that works as it stands.

    Args:
        name: what a user will type; a leading ``ganzoo-`` is left out.
        kind: one of `KINDS`.
        task: of an architecture, one of `TASKS`.
        title: how the name is written in text, "BEGAN"; guessed unless given.
        out: the folder to write; ``ganzoo-NAME`` unless given.
    Returns: the folder.
    Raises: UsageError when the name cannot be one, or the folder is there already or cannot be written.
    """
    name = name.removeprefix("ganzoo-")
    if kind not in KINDS:
        raise UsageError(f"There is no kind {kind!r} of plugin; {suggest(kind, KINDS)}")
    if task not in TASKS:
        raise UsageError(f"There is no task {task!r}; {suggest(task, TASKS)}")
    if kind != "architecture" and task != TASKS[0]:
        raise UsageError(f"--task is for architectures; leave it out for a {kind}.")
    texts = _templates(kind, task)
    spelling = Spelling(name, title.strip())
    _check_name(spelling, kind, texts)
    replace = _replacements(spelling, kind)
    folder = Path(out) if out is not None else Path(f"ganzoo-{name}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} already exists; choose another name or another --out.")
    with explained(folder, "choose another --out", UsageError):
        for path, text in texts.items():
            file = folder / _replaced(path, replace)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_replaced(text, replace), encoding="utf-8", newline="\n")
    return folder


def clash(name: str, kind: str) -> str | None:
    """What of this kind has the name already, in a sentence; None when nothing has."""
    name = name.removeprefix("ganzoo-")
    found = [entry for entry in catalogue().entries(kind) if entry.name == name] if kind in CATALOGUE_KINDS else []
    others = [entry for entry in found if entry.distribution != f"ganzoo-{name}"]
    if not others:
        return None
    return (
        f"The {kind} {name} of {others[0].distribution} has the same name; where both are installed, write "
        f"{others[0].full_name} or ganzoo-{name}:{name}."
    )


def _templates(kind: str, task: str) -> dict[str, str]:
    """Paths in the distribution, and the texts of their templates, as the templates are called."""
    folder = TEMPLATES / (task if kind == "architecture" else kind)
    texts = {path: _read(TEMPLATES / template) for path, template in FILES.items()}
    texts["README.md"] = _read(folder / "README.md") + "\n" + _read(TEMPLATES / "install.md")
    package = f"ganzoo_{Spelling(KINDS[kind]).module}"
    return texts | {f"{package}/{file.name}": _read(file) for file in sorted(folder.glob("*.py"))}


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _check_name(spelling: Spelling, kind: str, texts: dict[str, str]) -> None:
    name = spelling.name
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        better = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-")
        hint = f"; did you mean {better}?" if _NAME.fullmatch(better) and len(better) <= LONGEST else "."
        raise UsageError(
            f"{name!r} cannot name a plugin: it takes up to {LONGEST} lower-case letters, digits and '-', beginning "
            f"with a letter{hint}"
        )
    _, module, class_name, title = spelling.all
    if not class_name.isidentifier() or not title.isprintable() or '"' in title or "\\" in title:
        raise UsageError(f"{title!r} cannot be a title: it takes letters, digits and spaces, beginning with a letter.")
    code = " ".join(text for path, text in texts.items() if path.endswith(".py"))
    taken = set(re.findall(r"\w+", code)).difference(Spelling(KINDS[kind]).all, Spelling(COMMON).all)
    if class_name in {*taken, *keyword.kwlist, *dir(builtins)}:
        raise UsageError(f"A class for {name} would be called {class_name}, a name that is taken; choose another.")
    for plugin in catalogue().plugins:
        if plugin.module.partition(".")[0] == f"ganzoo_{module}" and plugin.distribution != f"ganzoo-{name}":
            raise UsageError(
                f"{plugin.distribution} {plugin.version} has a module ganzoo_{module}, and Python imports only one of "
                "that name; choose another."
            )


def _replacements(spelling: Spelling, kind: str) -> dict[str, str]:
    """Everything in the templates that is written otherwise, and what is written instead."""
    new = spelling.all
    own = dict(zip(Spelling(KINDS[kind]).all, new, strict=True))
    return {**dict(zip(Spelling(COMMON).all, new, strict=True)), **own, **facts()}


def _replaced(text: str, replace: dict[str, str]) -> str:
    words = "|".join(map(re.escape, sorted(replace, key=len, reverse=True)))
    return re.sub(words, lambda match: replace[match[0]], text)
