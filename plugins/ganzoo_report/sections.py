"""The sections of the page, each a function of the runs; an empty one where there is nothing to show."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ganzoo.api import (
    ArchitectureCard,
    Evaluation,
    GanzooError,
    Measured,
    Run,
    architecture_of,
    as_json,
    better_scores,
    command_words,
    panels_of,
    typed,
)
from ganzoo_report.story import Story, items_of, items_of_all
from ganzoo_report.words import Html, table, tag

MOST_CLASSES, IN_A_ROW = 20, 8  # rows of a class each, and items of a row, at the most
MOST_SCORES = 6  # of a headline


def _section(name: str, title: str, *content: Any) -> Html:
    return tag("section", tag("h2", title), *content, id=name)


def _each(stories: Sequence[Story], columns: Iterable[tuple[Story, Html]]) -> Html:
    """What there is of each run, side by side under the runs' names."""
    several = len(stories) > 1
    blocks = [
        tag("div", tag("h3", story.name) if several else Html(), content, class_="run") for story, content in columns
    ]
    return tag("div", *blocks, class_="runs") if blocks else Html()


def _figure(series: str, caption: str, **limits: Any) -> Html:
    """A picture that the slider moves."""
    picture = tag("img", data_series=series, alt=caption, class_="sheet", **limits)
    when = tag("span", "", data_when=series, **limits)
    return tag("figure", picture, tag("figcaption", caption, Html(" "), when))


def _still(picture: int, caption: str) -> Html:
    """A picture that is the same all along."""
    return tag("figure", tag("img", data_picture=picture, alt=caption, class_="sheet"), tag("figcaption", caption))


def _cells(story: Story, cells: Iterable[int], caption: str) -> Html:
    """Items cut from the sheets, in a row; the slider moves them."""
    chosen = ",".join(map(str, cells))
    return tag(
        "canvas", role="img", data_series=story.sheet, data_cells=chosen, data_caption=caption, aria_label=caption
    )


def _rows(story: Story, rows: Iterable[tuple[str, Sequence[int]]]) -> Html:
    """Rows of items cut from the sheets, each with its name."""
    lines = [tag("div", tag("span", name), _cells(story, cells, f"{name}:"), class_="row") for name, cells in rows]
    return tag("div", *lines, class_="rows")


# ---- what a run is ---------------------------------------------------------------------------------------------------


def headline(stories: Sequence[Story]) -> Html:
    cards = []
    for story in stories:
        run, header, last = story.run, story.run.header, story.log.last
        card = _card(run)
        only = f", label {header.data.label} alone" if header.data.label else ""
        rows: list[tuple[str, Any]] = [
            ("Architecture", f"{card.title} ({card.year})" if card else header.architecture),
            ("Data", f"{header.data.name}{only}: {header.data.images:,} {story.items}, {header.data.origin}"),
            ("Trained", _trained(run, last)),
            ("Time", _time(last.get("seconds"), header.environment.device_name or header.environment.device)),
            ("Parameters", " + ".join(f"{name} {count:,}" for name, count in header.parameters.items())),
            ("Pretrained", _pretrained(run)),
            ("Status", run.status),
        ]
        words = [part for name, value in rows if value for part in (tag("dt", name), tag("dd", value))]
        heading = tag("h2", story.name) if len(stories) > 1 else Html()
        cards.append(tag("article", heading, tag("dl", *words), _headline_scores(run), class_="card"))
    title = stories[0].name if len(stories) == 1 else f"{len(stories)} runs side by side"
    return tag("header", tag("h1", title), tag("div", *cards, class_="runs"), _budgets(stories))


def _card(run: Run) -> ArchitectureCard | None:
    try:
        card: ArchitectureCard = architecture_of(run.header, str(run.path)).card
    except GanzooError:
        return None
    return card


def _headline_scores(run: Run) -> Html:
    evaluations = _evaluations(run)
    if not evaluations and not better_scores(run.header.data.modality):
        return tag("p", f"Not scored: no installed score judges {items_of(run)}.", class_="quiet")
    if not evaluations:
        evaluate = tag("code", f"ganzoo evaluate {shlex.quote(_place(run))}")
        return tag("p", "Not scored; ", evaluate, " does it.", class_="quiet")
    last, better = evaluations[-1]["metrics"], better_scores(run.header.data.modality)
    last = [score for score in last if score["name"] in better] or last
    shown = [
        tag("div", tag("b", f"{score['value']:.4g}"), tag("span", score["name"], _way(better.get(score["name"]))))
        for score in last[:MOST_SCORES]
    ]
    return Html(tag("div", *shown, class_="scores") + _cautions(last))


def _way(better: str | None) -> str:
    return f", {better} is better" if better else ""


def _cautions(scores: Iterable[Measured]) -> Html:
    """What is to be heeded of some scores, each once."""
    said = dict.fromkeys(score["protocol"].get("caution") for score in scores)
    return Html("".join(tag("p", f"⚠ {each}", class_="caution") for each in said if each))


def _evaluations(run: Run) -> list[Evaluation]:
    """Oldest model first."""
    return sorted((row for row in run.scores() if row["metrics"]), key=lambda row: row["step"])


def _budgets(stories: Sequence[Story]) -> Html:
    seen = [story.log.last.get("images", 0) for story in stories]
    if len(set(seen)) < 2:
        return Html()
    return tag(
        "p",
        f"Not equally long: from {min(seen):,} to {max(seen):,} {items_of_all(stories)} seen.",
        class_="card marked",
    )


def _trained(run: Run, last: Mapping[str, Any]) -> str:
    if not last:
        return "not a step yet"
    data, passes = run.header.data, ""
    if data.images and not data.domains:  # a pass is one over the largest domain, whose size is not known here
        count = f"{last['images'] / data.images:.3g}"
        passes = f", {count} {'pass' if count == '1' else 'passes'} over the data"
    steps = "1 step" if last["step"] == 1 else f"{last['step']:,} steps"
    return f"{last['images']:,} {items_of(run)} in {steps}{passes}"


def _time(seconds: Any, device: str) -> str:
    if not isinstance(seconds, int | float):
        return ""
    minutes, left = divmod(round(seconds), 60)
    spent = f"{minutes} min {left} s" if minutes else f"{left} s"
    if minutes >= 60:
        spent = f"{minutes // 60} h {minutes % 60} min"
    return f"{spent} on {device}" if device else spent


def _pretrained(run: Run) -> str:
    found = [f"{each.name} ({each.licence})" for each in run.header.frozen]
    return (
        ", ".join([*found, *([f"began with {_without_folders(run.header.init)}"] if run.header.init else [])]) or "none"
    )


# ---- pictures --------------------------------------------------------------------------------------------------------


def slider(stories: Sequence[Story]) -> Html:
    if not any(story.series for story in stories):
        return tag("p", "There are no sheets of samples yet.", class_="card")
    if len({moment.images for story in stories for moment in story.series.get(story.sheet, ())}) < 2:
        return tag("p", "There is one sheet of samples: ", tag("span", "", id="when"), class_="card")
    play = "Play the learning as an animation"
    return tag(
        "div",
        tag("button", "▶", id="play", type="button", aria_label=play, title=play),
        tag("label", f"{items_of_all(stories).capitalize()} seen", for_="at"),
        tag("input", id="at", type="range", min="0", max="0", step="1", value="0"),
        tag("output", "", id="when", for_="at", role="status"),
        id="slider",
        role="group",
        aria_label="Moment of the training that every picture shows",
    )


def pictures(stories: Sequence[Story]) -> Html:
    columns = []
    for story in stories:
        if not story.series:
            continue
        items = story.items
        shown = [
            _still(number, f"Real {items}" + (f": {domain}" if domain else "")) for domain, number in story.real.items()
        ]
        if not _translates(story):
            plotted = story.run.header.data.modality in ("table", "point")
            colours = " (red) over real ones (grey)" if plotted else ""
            shown.append(_figure(story.sheet, f"Generated {items}{colours}, of the same noise each time:"))
        if f"{story.key}-nearest" in story.series:
            words = "Generated images (first row), and the training images nearest to each below it:"
            shown.append(_figure(f"{story.key}-nearest", words))
        columns.append((story, tag("div", *shown, class_="pictures")))
    if not columns:
        return Html()
    near = any(f"{story.key}-nearest" in story.series for story, _ in columns)
    title = "Real, generated, nearest" if near else "Real and generated"
    title = "Real data" if all(_translates(story) for story, _ in columns) else title
    return _section("pictures", title, _each(stories, columns))


def _translates(story: Story) -> bool:
    return bool(story.grid and (story.made.get("domains") or story.made.get("goals")))


def classes(stories: Sequence[Story]) -> Html:
    """A row of images for each class, of the sheets, whose items take the classes in turn."""
    columns = []
    for story in stories:
        names = story.made.get("classes", [])
        count = min(story.run.header.settings.samples, story.grid.columns * story.grid.rows) if story.grid else 0
        if not names or _translates(story) or story.sheet not in story.series:
            continue
        if len(names) > MOST_CLASSES:
            story.left_out.append(f"{story.name}: rows of {len(names) - MOST_CLASSES} of its {len(names)} classes.")
        count = count // len(names) * len(names) or count  # rows of one length
        rows = [
            (name, list(range(number, count, len(names)))[:IN_A_ROW])
            for number, name in enumerate(names[:MOST_CLASSES])
            if number < count
        ]
        columns.append((story, _rows(story, rows)))
    return _section("classes", "Class by class", _each(stories, columns)) if columns else Html()


def translations(stories: Sequence[Story]) -> Html:
    """Pairs, and back where the model can, in rows; under a swipe a pair at a time."""
    columns = []
    for story in stories:
        if not _translates(story) or story.sheet not in story.series or story.grid is None:
            continue
        names = _rows_of(story)[: story.grid.rows]
        rows = [
            (name, list(range(row * story.grid.columns, (row + 1) * story.grid.columns)))
            for row, (name, _) in enumerate(names)
        ]
        swipes = [_swipe(story, rows[before], rows[row]) for row, (_, before) in enumerate(names) if before is not None]
        columns.append((story, tag("div", _rows(story, rows), *swipes)))
    back = any(name.count("→") > 1 for story, _ in columns for name, _ in _rows_of(story))
    title = "There and back" if back else "Translated"
    return _section("translations", title, _each(stories, columns)) if columns else Html()


def _rows_of(story: Story) -> list[tuple[str, int | None]]:
    """The rows of a sheet of translations: their names, and the row of what was translated."""
    if story.made.get("goals"):
        return [("real", None), *((f"→ {goal}", 0) for goal in story.made["goals"])]
    found: list[tuple[str, int | None]] = []
    domains, within = story.run.header.data.domains, story.made["domains"]
    for number, name in enumerate(domains):
        to = domains[(number + 1) % len(domains)]
        if to in within:
            row = len(found)
            found += [(name, None), (f"{name} → {to}", row)]
            found += [(f"{name} → {to} → {name}", None)] if name in within else []
    return found


def _swipe(story: Story, before: tuple[str, Sequence[int]], after: tuple[str, Sequence[int]]) -> Html:
    """Two rows over each other, and what moves the edge between them."""
    words = f"{before[0]} at the left of the edge, {after[0]} at its right"
    return tag(
        "figure",
        tag("div", _cells(story, before[1], f"{before[0]}:"), _cells(story, after[1], f"{after[0]}:"), class_="layers"),
        tag("input", type="range", min="0", max="100", value="50", class_="edge", aria_label=f"Edge: {words}"),
        tag("figcaption", words),
        class_="swipe",
    )


def stage_by_stage(stories: Sequence[Story]) -> Html:
    """Each stage as a chapter: what changed, what the samples show, what the figures were at its end."""
    columns = []
    for story in stories:
        if len(story.stages) < 2:
            continue
        chapters: list[Html] = []
        ends = [*(mark.images for mark in story.stages[1:]), story.log.last.get("images", 0)]
        before: dict[str, float] = {}
        for number, (mark, end) in enumerate(zip(story.stages, ends, strict=True), 1):
            told = re.sub(r"e-(?=\d)", "e\N{NON-BREAKING HYPHEN}", mark.text)  # 1e-05 is one word
            heading = tag("h3", f"Stage {number} of {len(story.run.header.stages)}: {told}")
            if end == mark.images and number < len(story.stages):
                gone = f"It was given up: the run was rolled back to {end:,} {story.items} seen."
                chapters.append(tag("article", heading, tag("p", gone, class_="quiet"), class_="stage"))
                continue
            now = _at_the_end(story, mark.images, end)
            rows = [
                (name.removeprefix("score/"), f"{value:.4g}", *([f"{before[name]:.4g}"] if name in before else []))
                for name, value in now.items()
            ]
            figures = table(("", "at its end", *(["before"] if before else [])), rows) if rows else Html()
            view = f"#at={end}&zoom={mark.images},{end}"
            curves = tag("a", "Curves of this stage", href=view, data_to="curves", class_="screen") if rows else Html()
            limits = {"data_least": mark.images, "data_most": end}
            picture = _figure(story.sheet, f"Stage {number}:", **limits) if story.sheet in story.series else Html()
            seen = tag("p", _course(story, number, mark.images, end), class_="quiet")
            chapters.append(tag("article", heading, seen, picture, figures, curves, class_="stage"))
            before = now
        columns.append((story, tag("div", *chapters, class_="stages")))
    return _section("stages", "Stage by stage", _each(stories, columns)) if columns else Html()


def _course(story: Story, number: int, start: int, end: int) -> str:
    """Where a stage lies in the training, how long it took, and what it changed: in a sentence or two."""
    clock = [row["seconds"] for row in story.log.rows if start <= row["images"] <= end and "seconds" in row]
    time = f", in {_time(clock[-1] - clock[0], '')}" if len(clock) > 1 else ""
    *earlier, now = story.run.header.stages[:number]
    before = {name: value for stage in earlier for name, value in stage.changes.items()}
    changed = [
        f"{name} from {before[name]} to {value}"
        for name, value in now.changes.items()
        if before.get(name, value) != value
    ]
    return f"From {start:,} to {end:,} {story.items} seen{time}." + (f" New: {', '.join(changed)}." if changed else "")


def _at_the_end(story: Story, start: int, end: int) -> dict[str, float]:
    """Losses and D's verdicts as means over the last tenth of a stage's rows, and its last scores."""
    rows = [row for row in story.log.rows if start < row["images"] <= end]
    last = [row for row in rows if any(name.startswith("loss/") for name in row)]
    last = last[-max(1, math.ceil(len(last) / 10)) :]
    found: dict[str, float] = {}
    groups = panels_of(list(last[0]) if last else [])
    telling = [names for title, names in groups.items() if title.startswith(("loss of ", "D's mean verdict"))]
    for name in (name for names in telling for name in names):
        values = [row[name] for row in last if isinstance(row.get(name), float) and math.isfinite(row[name])]
        if values:
            found[name] = sum(values) / len(values)
    for row in rows:
        found.update({name: value for name, value in row.items() if name.startswith("score/")})
    return found


def walks(stories: Sequence[Story]) -> Html:
    """What the model makes of latents between latents, and of mixed styles."""
    titles = {
        "walk": "Walks: in each row from one image to the next,",
        "mix": "Mixed styles: coarse ones of the image at the left, fine ones of that above,",
    }
    columns = []
    for story in stories:
        shown = []
        for name in story.series:
            kind = name.removeprefix(f"{story.key}-")
            code = f"The code {kind[5:]} from its least to its greatest value," if kind.startswith("code-") else ""
            words = titles.get(kind, code)
            shown += [_figure(name, words)] if words else []
        if shown:
            columns.append((story, tag("div", *shown, class_="pictures")))
    title = "Between the images"
    note = tag("p", "These need the weights, which only the newest checkpoints keep.", class_="quiet")
    return _section("walks", title, note, _each(stories, columns)) if columns else Html()


def sounds(stories: Sequence[Story]) -> Html:
    columns = []
    for story in stories:
        rows = []
        for kind, found in zip(("Generated, at the end", "Real"), story.made.get("sounds", ()), strict=False):
            players = [
                tag("audio", src=source, controls="", preload="none", aria_label=f"{kind} sound {number}")
                for number, source in enumerate(found, 1)
            ]
            rows.append(tag("div", tag("h3", kind), *players, class_="sounds"))
        if rows:
            columns.append((story, tag("div", *rows, class_="pictures")))
    return _section("sounds", "Sounds", _each(stories, columns)) if columns else Html()


# ---- figures ---------------------------------------------------------------------------------------------------------


def curves(stories: Sequence[Story]) -> Html:
    if not any(story.log.rows for story in stories):
        return Html()
    axes = [("images", f"{items_of_all(stories)} seen"), ("time", "time"), ("epochs", "epochs")]
    if not all("seconds" in story.log.last for story in stories):
        axes.remove(("time", "time"))
    chosen = tag("select", *(tag("option", words, value=value) for value, words in axes), id="axis")
    smooth = tag("input", id="smooth", type="range", min="0", max="0.99", step="0.01", value="0")
    controls = tag(
        "div",
        tag("label", "Over ", chosen),
        tag("label", "Smoothing ", smooth, tag("output", "0", id="smoothness", for_="smooth")),
        tag("button", "Zoom in", id="closer", type="button"),
        tag("button", "Zoom out", id="farther", type="button"),
        tag("button", "Whole training", id="whole", type="button"),
        class_="controls",
        role="group",
        aria_label="How the curves are drawn",
    )
    words = "Drag across a curve to zoom, or use the buttons; the address keeps the view."
    hint = tag("p", words, class_="quiet screen")
    return _section("curves", "Curves", controls, hint, tag("div", id="panels"))


def warned(stories: Sequence[Story]) -> Html:
    """What ganzoo warned of while it trained; the curves have a mark at each."""
    columns = [
        (
            story,
            tag("ul", *(tag("li", f"⚠ {mark.images:,} {story.items} seen: {mark.text}") for mark in story.warnings)),
        )
        for story in stories
        if story.warnings
    ]
    return _section("warnings", "Warnings", _each(stories, columns)) if columns else Html()


def memorisation(stories: Sequence[Story]) -> Html:
    columns = []
    for story in stories:
        said = []
        if "copies" in story.made:
            mean, least, usual, held_out, searched, count = story.made["copies"]
            said.append(
                f"The last {count} samples shown above are {mean:.3f} away from their nearest of {searched:,} training "
                f"images on average, and {least:.3f} at the least. {held_out:,} real images that were left out of the "
                f"search are {usual:.3f} away. Samples much nearer than that would be copies."
            )
        values = {score["name"]: score["value"] for row in _evaluations(story.run) for score in row["metrics"]}
        if {"nearest", "nearest-real"} <= values.keys():
            said.append(
                f"Measured by ganzoo evaluate: a sample’s nearest training image is {values['nearest']:.3f} away, a "
                f"held-out image’s {values['nearest-real']:.3f}."
            )
        if said:
            columns.append((story, tag("div", *(tag("p", each) for each in said))))
    note = (
        "Distances are root mean square differences of pixels in [-1, 1], of images scaled to 32 pixels a side at most."
    )
    title = "Does it copy?"
    return _section("copies", title, _each(stories, columns), tag("p", note, class_="quiet")) if columns else Html()


def scores(stories: Sequence[Story]) -> Html:
    """The last evaluation, each figure with the protocol that it was measured by."""
    columns = []
    for story in stories:
        evaluations = _evaluations(story.run)
        if not evaluations:
            continue
        measured: dict[str, list[tuple[str, str, str]]] = {}
        better = better_scores(story.run.header.data.modality)
        for score in evaluations[-1]["metrics"]:
            row = (score["name"], f"{score['value']:.4g}", better.get(score["name"], ""))
            measured.setdefault(_protocol(score["protocol"]), []).append(row)
        tables = [
            Html(table(("score", "value", "better"), rows) + tag("p", protocol, class_="quiet"))
            for protocol, rows in measured.items()
        ]
        columns.append((story, Html("".join(tables) + _cautions(evaluations[-1]["metrics"]))))
    note = tag("p", "Figures can be compared only where they were measured alike.", class_="quiet")
    return _section("scores", "Scores and their protocol", _each(stories, columns), note) if columns else Html()


def _protocol(protocol: Mapping[str, Any]) -> str:
    """How a score was measured, in words; its caution stands by itself."""

    def words(value: Any) -> str:
        if not isinstance(value, dict):
            return f"{value:.4g}" if isinstance(value, float) else typed(value)
        return "(" + ", ".join(f"{name.replace('_', ' ')} {words(each)}" for name, each in value.items()) + ")"

    left_out = ("caution", "fingerprint")
    said = {name: value for name, value in protocol.items() if value is not None and name not in left_out}
    return "Measured with: " + ", ".join(f"{name.replace('_', ' ')} {words(value)}" for name, value in said.items())


def settings(stories: Sequence[Story]) -> Html:
    """Every option and the environment; of several runs side by side, with those marked that differ."""
    chosen = [dict(story.run.hyperparameters) for story in stories]
    for each in chosen:
        each["recipe"] = _without_folders(each.get("recipe"))
    machines = [as_json(story.run.header.environment) for story in stories]
    stages = [{f"stage {n}": str(stage) for n, stage in enumerate(story.run.header.stages, 1)} for story in stories]
    versions = [
        {"ganzoo": each.ganzoo, "plugin": f"{each.distribution} {each.version}", "data": each.data.fingerprint}
        for each in (story.run.header for story in stories)
    ]
    tables = [
        _compared(stories, "Options", chosen),
        _compared(stories, "Stages", stages),
        _compared(stories, "Environment", [{**a, **b} for a, b in zip(versions, machines, strict=True)]),
    ]
    return _section("settings", "Settings and environment", *tables)


def _compared(stories: Sequence[Story], title: str, values: Sequence[Mapping[str, Any]]) -> Html:
    names = list(dict.fromkeys(name for each in values for name in each))
    rows = [(name.replace("_", "-"), *(typed(each.get(name)) or "none" for each in values)) for name in names]
    differing = [place for place, (_, *cells) in enumerate(rows) if len(set(cells)) > 1]
    headings = ("", *(story.name for story in stories)) if len(stories) > 1 else ()
    count = f" ({len(differing)} differ)" if differing else ""
    return tag(
        "details",
        tag("summary", title + count),
        table(headings, rows, marked=differing),
        open="" if differing else None,
    )


def commands(stories: Sequence[Story]) -> Html:
    """What one types for such a run, and to use it."""
    columns = []
    for story in stories:
        place = shlex.quote(_place(story.run))
        lines = (story.command or _every_option(story.run)).split(" && ")
        lines = [line.replace("ganzoo extend RUN", f"ganzoo extend {place}", 1) for line in lines]
        lines[0] += f" --out {place}"
        names = list(dict.fromkeys(s["protocol"].get("metric", "") for s in _last_scores(story.run)))
        metrics = "".join(f" --metric {name}" for name in names if name)
        lines += [f"ganzoo evaluate {place}{metrics}"] if metrics else []
        if story.made.get("domains"):
            lines.append(f"ganzoo translate {place} IMAGE --to {shlex.quote(story.made['domains'][-1])}")
        elif not story.made.get("goals"):
            lines.append(f"ganzoo sample {place} --seed 0")
        lines.append(f"ganzoo report {place}")
        columns.append((story, tag("pre", tag("code", *map(_whole_words, lines)), tabindex="0")))
    return _section("commands", "To reproduce it", _each(stories, columns))


def _whole_words(line: str) -> Html:
    """A line of a command that a narrow screen breaks between its words; a browser breaks after their dashes too."""
    return Html(" ".join(tag("span", word) for word in line.split(" ")) + "\n")


def _place(run: Run) -> str:
    """The run's folder as it was given, without the folders of this machine."""
    return run.name if run.path.is_absolute() else str(run.path)


def _without_folders(place: str | None) -> str | None:
    """A recipe or model as others may read of it: of a file here, only its name."""
    return place if place is None or "://" in place else place.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _every_option(run: Run) -> str:
    """The command that trains a run, for one whose sheets do not say it: with every option there is."""
    first, *later = run.header.stages
    told = ("architecture", "data", "recipe", "epochs", "images", "steps", "device", "log", "processes")
    chosen = {name: value for name, value in run.hyperparameters.items() if name not in told and value is not None}
    label = {} if run.header.data.label is None else {"class": run.header.data.label}
    words = [
        "train",
        run.header.architecture,
        run.header.data.full_name,
        *command_words({**label, **chosen, **first.changes, **first.length}),
    ]
    lines = [words, *(["extend", "RUN", *command_words({**stage.length, **stage.changes})] for stage in later)]
    return " && ".join(shlex.join(["ganzoo", *line]) for line in lines)


def _last_scores(run: Run) -> list[Measured]:
    evaluations = _evaluations(run)
    return list(evaluations[-1]["metrics"]) if evaluations else []


def left_out(stories: Sequence[Story]) -> Html:
    said = [sentence for story in stories for sentence in dict.fromkeys(story.left_out)]
    return _section("left-out", "Left out", tag("ul", *(tag("li", each) for each in said))) if said else Html()
