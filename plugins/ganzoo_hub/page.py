"""The page that a published model comes with, README.md, made from its run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganzoo.api import ADDRESS, ArchitectureCard, Measured, ModelHeader, RunHeader, as_json

LENGTHS = ("epochs", "images", "steps")


@dataclass(frozen=True)
class Published:
    """What is known of a model that is about to be published.

    Attributes:
        title: what it is called there.
        source: what one types to use it, such as ``"hf://user/name"``.
        card: of its architecture.
        run: what run.json says; model: what the header of the model's file says.
        scores: ``{"name", "value", "protocol"}`` of each score of this very model.
        picture: file name of the sheet of samples; "" without one.
        licence: of the weights, as SPDX writes it; "" when its author has not said.
        sha256: of the model's file.
    """

    title: str
    source: str
    card: ArchitectureCard
    run: RunHeader
    model: ModelHeader
    scores: Sequence[Measured]
    picture: str
    licence: str
    sha256: str

    @property
    def translates(self) -> bool:
        return "translation" in self.card.tasks


def model_card(this: Published) -> str:
    """The whole page, in Markdown, with the front matter that the hub reads."""
    parts = [_front_matter(this), f"# {this.title}\n", _summary(this), _use(this), _data(this), _training(this)]
    if this.scores:
        parts.append(_scores(this))
    parts.append(
        f"## The file\n\n`model.safetensors`: weights and a header in JSON, no code. SHA-256 `{this.sha256}`.\n"
    )
    return "\n".join(parts)


def _front_matter(this: Published) -> str:
    """YAML, of which JSON is a part: values are written as JSON, so that none can break it."""
    tags = ["ganzoo", "gan", this.card.name, *sorted(this.card.tasks)]
    rows: dict[str, Any] = {"library_name": "ganzoo", "tags": list(dict.fromkeys(tags))}
    if len(this.model.data.shape) == 3:
        rows["pipeline_tag"] = "image-to-image" if this.translates else "unconditional-image-generation"
    if this.licence:
        rows["license"] = this.licence.lower()
    if this.scores:
        rows["model-index"] = [_index(this, rows.get("pipeline_tag", "other"))]
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in rows.items())
    return f"---\n{lines}---\n"


def _index(this: Published, task: str) -> dict[str, Any]:
    data = this.model.data.name
    metrics = [{"type": score["name"], "name": score["name"], "value": score["value"]} for score in this.scores]
    return {
        "name": this.title,
        "results": [{"task": {"type": task}, "dataset": {"type": data, "name": data}, "metrics": metrics}],
    }


def _summary(this: Published) -> str:
    data, card = this.model.data, this.card
    shown = "Images and their translations" if this.translates else "New images by the model"
    picture = f"![{shown}]({this.picture})\n\n" if this.picture else ""
    shape = "×".join(map(str, data.shape))
    if data.shapes:  # domains that differ
        shape = " and ".join(f"{'×'.join(map(str, own))} ({domain})" for domain, own in data.shapes.items())
    paper = card.paper
    if paper.startswith("arXiv:"):
        paper = f"[{paper}](https://arxiv.org/abs/{paper.removeprefix('arXiv:')})"
    return (
        f"{picture}A {card.title} ({card.year}, {paper}) trained with ganzoo on {_code(data.name)}: "
        f"{this.run.data.images:,} items of {shape}, {data.origin}.\n"
    )


def _use(this: Published) -> str:
    data = this.model.data
    shape = ", ".join(map(str, data.shape))
    if this.translates:
        to = data.domains[-1] if data.domains else _label(data)
        shape = ", ".join(map(str, data.shapes.get(to, data.shape)))
        shell = f"ganzoo translate {this.source} IMAGE --{'to' if data.domains else 'label'} {shlex.quote(to)}"
        given = f"images, {json.dumps(to, ensure_ascii=False)}"
        python = f'images = ganzoo.load("{this.source}").translate({given})     # PIL images, or [n, {shape}]'
    else:
        shell = f"ganzoo sample {this.source}"
        python = f'images = ganzoo.load("{this.source}").sample(16, seed=1)     # [16, {shape}]'
        labels = this.model.data.classes
        if "conditional" in this.card.tasks and labels:
            shell += f"\nganzoo sample {this.source} --label {json.dumps(labels[0])}"
    return f"## Use it\n\n{_needs(this)}:\n\n```sh\n{shell}\n```\n\n```python\nimport ganzoo\n\n{python}\n```\n"


def _label(data: Any) -> str:
    """A label that images may be translated to, as one types it, of a `DataHeader`."""
    return ",".join(f"{name}={int(not place)}" for place, name in enumerate(data.label_names)) or data.classes[0]


def _needs(this: Published) -> str:
    distribution, version = this.model.distribution, this.model.version
    text = (
        f"With ganzoo {this.run.ganzoo} or newer, `pip install {ADDRESS}` "
        "(`ganzoo` 0.0.1 on the Python package index is something else)"
    )
    if distribution == "ganzoo":
        return text
    if any(file.path == distribution for file in this.model.plugin_files):
        return f"{text} and {_code(distribution)}, the file of its architecture, given with `--plugin {distribution}`"
    return f"{text} and its plugin, `pip install {distribution}=={version}`"


def _data(this: Published) -> str:
    data = this.run.data
    rows = [
        ("name", data.name), ("origin", data.origin), ("items", f"{data.images:,}"),
        ("only the label", data.label), ("labels", ", ".join(data.classes)),
        ("domains", ", ".join(data.domains)), ("fingerprint", data.fingerprint),
    ]  # fmt: skip
    return f"## Data\n\n{_table(('', ''), rows)}"


def _training(this: Published) -> str:
    run, model = this.run, this.model
    counts = " + ".join(f"{name} {count:,}" for name, count in run.parameters.items())
    machine = run.environment
    computed = f"{machine.device} ({machine.device_name}), {machine.precision}, torch {machine.torch}"
    rows = [
        ("architecture", f"{model.architecture}, of {model.distribution} {model.version}"),
        ("preset", run.preset), ("recipe", run.recipe), ("parameters", counts),
        ("trained for", f"{model.images:,} images in {model.step:,} steps"),
        *((f"stage {number}", _stage(stage.length, stage.changes)) for number, stage in enumerate(run.stages, 1)),
        ("weights", "of the averaged generator" if model.ema else "raw, not averaged"),
        *(("pretrained", f"{each.name}, licence {each.licence}") for each in run.frozen),
        ("machine", computed),
        ("ganzoo", run.ganzoo),
    ]  # fmt: skip
    settings = {name: value for name, value in as_json(run.settings).items() if name not in (*LENGTHS, "log")}
    options = [(_code(name), value) for name, value in {**run.config, **settings}.items()]
    return (
        f"## Training\n\n{_table(('', ''), rows)}\nEvery option, with which the same run can be made again:\n\n"
        f"{_table(('option', 'value'), options)}"
    )


def _stage(length: Mapping[str, int], changes: Mapping[str, Any]) -> str:
    pairs = {**length, **changes}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in pairs.items())


def _scores(this: Published) -> str:
    rows = [
        (
            score["name"],
            f"{score['value']:.4g}",
            f"{score['protocol']['samples']:,} samples, {score['protocol']['split']} split, "
            f"seed {score['protocol']['seed']}",
        )
        for score in this.scores
    ]
    table = _table(("score", "value", "measured with"), rows)
    return f"## Scores\n\n{table}\nFigures can be compared only where they were measured alike.\n"


def _table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table in Markdown; rows whose last cell is empty are left out."""
    lines = [headings, ["---"] * len(headings), *(row for row in rows if row[-1] not in (None, ""))]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _code(text: Any) -> str:
    return f"`{text}`"
