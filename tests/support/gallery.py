"""docs/gallery.md from folders of runs: `PYTHONPATH=tests python -m support.gallery RUN...`.

For each run a picture, the command that trains it, how long that took on which machine, and its newest score. Only
data that code draws, MNIST and data under CC0 is to be shown there.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path

from ganzoo_animate.animation import sheets
from PIL import Image

import ganzoo
from ganzoo.catalogue.catalogue import better_scores
from ganzoo.pictures.framed import framed
from ganzoo.plan.typed import typed_plan
from ganzoo.training.estimate import duration
from ganzoo.training.facts import plan_of

DOCS = Path(__file__).parents[2] / "docs"
SHOWN, COLUMNS = 16, 8  # samples of a model
WIDTH = 1000  # pixels of a picture, at the most
HEAD = """# Gallery

What the architectures make of data that anyone may show: faces, digits and tables drawn by ganzoo, and MNIST. Below
each picture stand the command, how long it trained, and the score where one was measured. Nothing is chosen: a picture
shows the first {shown} samples of seed 0, or the newest sheet of a translation or a table.

`PYTHONPATH=tests python -m support.gallery RUN…` writes this page and its pictures anew from the folders of runs, and
leaves what it has of others.
"""


def write(folders: Iterable[Path], docs: Path = DOCS) -> Path:
    """Writes gallery.md and images/ARCHITECTURE-DATA.webp below `docs`; what the page has of other runs stays.

    Returns: the page.
    """
    page = docs / "gallery.md"
    sections = _sections(page.read_text(encoding="utf-8")) if page.exists() else {}
    (docs / "images").mkdir(parents=True, exist_ok=True)
    for run in map(ganzoo.Run.open, folders):
        file = docs / "images" / f"{_name(run)}.webp"
        _picture(run).save(file, quality=80, method=6)
        sections[_name(run)] = _section(run, f"images/{file.name}")
    parts = [HEAD.format(shown=SHOWN), *(sections[name] for name in sorted(sections))]
    page.write_text("\n".join(parts), encoding="utf-8")
    return page


def _sections(page: str) -> dict[str, str]:
    """The page's sections by the names of their pictures."""
    parts = [f"## {part.strip()}\n" for part in page.split("\n## ")[1:]]
    return {part.partition("(images/")[2].partition(".webp")[0]: part for part in parts}


def _name(run: ganzoo.Run) -> str:
    data = run.header.data.name.partition(":")[0]
    return f"{run.header.architecture}-{data}"


def _picture(run: ganzoo.Run) -> Image.Image:
    model, newest = ganzoo.load(run.path, "cpu"), sheets(run)[-1]
    is_image = model.modality.name == "image"
    if is_image and model.architecture.abilities.generate and not model.domains:
        picture = ganzoo.sheet(model.sample(SHOWN), COLUMNS).convert("RGB")
    else:
        with Image.open(newest.file) as sheet:
            picture = sheet.convert("RGB")
        if is_image and not newest.captioned:  # by a version that left sheets as small as their images
            picture = framed(picture, side=max(run.header.data.shape[1:]))
    if picture.width > WIDTH:
        picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    return picture


def _section(run: ganzoo.Run, picture: str) -> str:
    header, rows, scores = run.header, deque(run.metrics(), maxlen=1), deque(run.scores(), maxlen=1)
    title, images = f"{header.architecture} on {header.data.name}", (rows[0].get("images", 0) if rows else 0)
    plan = plan_of(run)
    folder = f"runs/{plan.entry.name}-{plan.data.name}-1"  # that the first of the commands would make
    command = typed_plan(plan, len(plan.stages) - 1).replace("extend RUN", f"extend {folder}")
    machine = header.environment
    where = f"{machine.device_name or machine.device}, {machine.threads} thread{'' if machine.threads == 1 else 's'}"
    stopped = "" if run.status == "finished" else "Stopped after "
    facts = [f"{stopped}{images:,} images in {duration(header.seconds)} ({where})"]
    telling = [each for each in (scores[0]["metrics"] if scores else ()) if each["name"] in better_scores()]
    facts += [_score(each) for each in telling][:2]
    text = "; ".join(facts)
    return f"## {title}\n\n![Samples of {title}]({picture})\n\n```sh\n{command}\n```\n\n{text}.\n"


def _score(score: dict[str, object]) -> str:
    protocol = score["protocol"]
    samples = protocol.get("samples") if isinstance(protocol, dict) else None
    return f"{score['name']} {score['value']:.4g}" + (f" of {samples:,} samples" if samples else "")


def main(words: Sequence[str]) -> None:
    """The command."""
    print(write(map(Path, words)))


if __name__ == "__main__":
    main(sys.argv[1:])
