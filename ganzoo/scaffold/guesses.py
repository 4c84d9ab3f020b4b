"""What a new plugin's files say that nobody need be asked: the year, whose it is, where its ganzoo comes from."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import date
from importlib import metadata
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ganzoo.about import DISTRIBUTION, __version__

# As the templates have them.
YEAR, AUTHOR, EMAIL, NEEDS = "2026", "Ada Author", "ada@example.org", "ganzoo>=0.1"


def facts() -> dict[str, str]:
    """What stands in the templates, and what is to be written instead."""
    name, email = git("config", "--get", "user.name"), git("config", "--get", "user.email")
    needs = f"{DISTRIBUTION}>={'.'.join(__version__.split('.')[:2])}"
    return {
        f'authors = [{{ name = "{AUTHOR}", email = "{EMAIL}" }}]\n': _authors(name, email),
        AUTHOR: name or "the authors",
        YEAR: str(date.today().year),
        f'GANZOO: "{NEEDS}"': f'GANZOO: "{source() or needs}"',
        NEEDS: needs,
    }


def _authors(name: str, email: str) -> str:
    """The line of pyproject.toml; nothing where nobody is known."""
    known = {"name": name, "email": email}
    fields = ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in known.items() if value)
    return f"authors = [{{ {fields} }}]\n" if fields else ""


def source() -> str | None:
    """The repository that this ganzoo was installed from, as pip takes it; None when that is not known."""
    try:
        made = json.loads(metadata.distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return None
    url = str(made.get("url", "")) if "vcs_info" in made else ""
    if "dir_info" in made:
        url = git("-C", url2pathname(urlsplit(made["url"]).path), "config", "--get", "remote.origin.url")
    return f"git+{url}" if re.fullmatch(r"https://[\w./~-]+", url) else None  # an address with a password has an "@"


def git(*words: str) -> str:
    """What git answers, "" when it is not there or has no answer."""
    try:
        return subprocess.run(("git", *words), capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
