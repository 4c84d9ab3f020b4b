"""The page's controls, and which of the player's commands each of them runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from ganzoo.api import GanzooError
from ganzoo_play.player import SIDE_BY_SIDE, Made, Player, Sheet, encoded, mixed, picked, projected, translated

HEARD = 4  # sounds that can be heard on the page
CSS = """
.gradio-container {width: 100%; max-width: 1200px !important; margin: 0 auto}
.pixels img {image-rendering: pixelated}
body:not(.dark) {--color-accent: var(--primary-600)}
.labelled .image-frame {padding-top: 2rem}
.labelled img {min-width: 8rem; object-fit: contain}
.pixels .grid-wrap {height: auto !important; min-height: 0 !important; max-height: none !important}
.pixels .grid-container {grid-template-columns: repeat(auto-fill, minmax(80px, 1fr)) !important; padding-top: 1.5rem}
"""
HINT = "Click an image to vary it; click another one to walk between the two."


def theme(gradio: Any) -> Any:
    """Gradio's plain theme with the fonts of the reader's system, since others are fetched."""
    plain = gradio.themes.Default(
        font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"], primary_hue="blue"
    )
    return plain.set(  # words that stand out from what is behind them, by 4.5 to 1 at the least
        body_text_color_subdued="*neutral_500", button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600", link_text_color_dark="*primary_400",
    )  # fmt: skip


def page(gradio: Any, player: Player) -> Any:
    """The whole page, as Gradio's Blocks."""
    can = player.can
    with gradio.Blocks(title=f"ganzoo play: {can.title}", analytics_enabled=False, fill_width=True) as blocks:
        gradio.Markdown(f"# {_plain(can.title)}\n\n{_plain(player.source)}", elem_id="title")
        with gradio.Tabs():
            if can.generate:
                with gradio.Tab(can.items.capitalize()):
                    _samples(gradio, player, blocks)
            if can.mix:
                with gradio.Tab("Mix styles"):
                    _mixing(gradio, player)
            if can.domains or can.relabels:
                with gradio.Tab("Translate"):
                    _translation(gradio, player)
            if can.generate and can.images:
                with gradio.Tab("Project" + (" and encode" if can.encode else "")):
                    _projection(gradio, player)
    return blocks


def _samples(gradio: Any, player: Player, blocks: Any) -> None:
    can = player.can
    with gradio.Row():
        with gradio.Column(scale=1, min_width=220):
            seed = gradio.Number(0, label="Seed", precision=0, minimum=0, elem_id="seed")
            following = gradio.Button("Next seed", size="sm")
            count = gradio.Slider(1, 64, 16, step=1, label="How many")
            label = _label(gradio, player)
            truncation = gradio.Slider(
                0, 1, 1, step=0.05, label="Truncation", visible=can.truncation, info="1 for none"
            )
            code = gradio.Textbox(
                label="Codes", visible=bool(can.codes), placeholder=",".join(f"{name}=0" for name in can.codes)
            )
        with gradio.Column(scale=3):
            shown = gradio.Gallery(
                label=can.items.capitalize(), columns=8, height="auto", allow_preview=not can.images,
                buttons=[], interactive=False, elem_classes="pixels", format="png", object_fit="contain",
            )  # fmt: skip
            heard = [gradio.Audio(label=f"Sound {n + 1}", visible=False, buttons=[]) for n in range(HEARD)]
            command, file = _result(gradio, "sheet")
    state, places = gradio.State(Sheet()), gradio.State([])
    if can.images:
        gradio.Markdown(HINT, elem_id="hint")
        strength = gradio.Slider(0, 1, 0.3, step=0.05, label="How new the versions are")
        with gradio.Row(visible=False) as results:
            with gradio.Column(scale=1, min_width=220):
                one = gradio.Image(
                    label="Picked", format="png", buttons=[], interactive=False, elem_classes=["pixels", "labelled"]
                )
                one_command, one_file = _result(gradio, "picked")
            with gradio.Column(scale=3):
                versions = gradio.Gallery(
                    label="Versions of it", columns=4, height="auto", buttons=[], interactive=False, format="png",
                    elem_classes="pixels",
                )  # fmt: skip
                walk = gradio.Image(label="The walk", format="gif", buttons=[], interactive=False, visible=False,
                                    elem_classes=["pixels", "labelled"])  # fmt: skip
                more_command, more_file = _result(gradio, "versions")

    def sample(seed: int, count: int, label: Any, truncation: float, code: str) -> list[Any]:
        sheet = Sheet(int(count), int(seed or 0), _said(label), _truncation(truncation), _said(code))
        if can.images:
            made = player.make(sheet.words(), "samples/")
            return [made.files, sheet, [], made.command, _hidden(gradio), *[gradio.skip()] * HEARD]
        picture = player.make(sheet.words(), "sheet.png")
        made = player.make(
            sheet.words(), "samples/" if can.each else f"samples{can.writes[0] if can.writes else '.npy'}"
        )
        sounds = [str(each) for each in made.files if each.suffix == ".wav"][:HEARD]
        audible = [gradio.Audio(sound, visible=True) for sound in sounds]
        audible += [gradio.Audio(visible=False)] * (HEARD - len(sounds))
        return [picture.files, sheet, [], made.command, _files(gradio, made), *audible]

    inputs, outputs = [seed, count, label, truncation, code], [shown, state, places, command, file, *heard]
    for changed in (seed.submit, count.change, label.change, truncation.change, code.submit, blocks.load):
        # Of the places that a slider passes through, the one where it stops is drawn; keys move it too.
        changed(_guarded(gradio, sample), inputs, outputs, api_visibility="private", trigger_mode="always_last")
    following.click(lambda seed: int(seed or 0) + 1, seed, seed, api_visibility="private").then(
        _guarded(gradio, sample), inputs, outputs, api_visibility="private"
    )
    if not can.images:
        return

    def click(sheet: Sheet, before: list[int], strength: float, chosen: Any) -> list[Any]:
        now = picked(before, int(chosen.index) + 1)
        image = player.make(sheet.one(now[-1]), f"seed-{sheet.seed}-image-{now[-1]}.png")
        first = [gradio.Row(visible=True), now, str(image.files[0]), image.command, _files(gradio, image)]
        if len(now) == 1:
            made = player.make(sheet.versions(now[0], 8, strength), "versions/")
            return [*first, gradio.Gallery(made.files, visible=True), gradio.Image(visible=False), made.command,
                    _files(gradio, made)]  # fmt: skip
        made = player.make(sheet.walk(*now), f"seed-{sheet.seed}-from-{now[0]}-to-{now[1]}.gif")
        moving = gradio.Image(str(made.files[0]), visible=True, label=f"From image {now[0]} to image {now[1]}")
        return [*first, gradio.Gallery(visible=False), moving, made.command, _files(gradio, made)]

    click.__annotations__["chosen"] = gradio.SelectData  # by which Gradio knows to say what was clicked
    shown.select(
        _guarded(gradio, click),
        [state, places, strength],
        [results, places, one, one_command, one_file, versions, walk, more_command, more_file],
        api_visibility="private",
    )


def _mixing(gradio: Any, player: Player) -> None:
    can = player.can
    with gradio.Row():
        with gradio.Column(scale=1, min_width=220):
            seed = gradio.Number(0, label="Seed", precision=0, minimum=0)
            rows = gradio.Slider(1, 8, 3, step=1, label="Images that give coarse styles")
            columns = gradio.Slider(1, 8, 4, step=1, label="Images that give fine styles")
            cutoff = gradio.Number(
                0, label="Layers with coarse styles", precision=0, minimum=0, info="0: those up to 8×8"
            )
            label = _label(gradio, player)
            truncation = gradio.Slider(0, 1, 1, step=0.05, label="Truncation", visible=can.truncation)
            go = gradio.Button("Mix", variant="primary")
        with gradio.Column(scale=3, visible=False) as result:
            shown = gradio.Image(label="Coarse from the left, fine from above", format="png", buttons=[],
                                 interactive=False, elem_classes="labelled")  # fmt: skip
            command, file = _result(gradio, "mixed")

    def mix(seed: int, rows: int, columns: int, cutoff: int | None, label: Any, truncation: float) -> list[Any]:
        seed = int(seed or 0)  # Gradio makes 0 of an empty number
        words = mixed(int(rows), int(columns), cutoff or None, seed, _said(label), _truncation(truncation))
        made = player.make(words, f"mix-seed-{seed}.png")
        return [gradio.Column(visible=True), str(made.files[0]), made.command, _files(gradio, made)]

    go.click(_guarded(gradio, mix), [seed, rows, columns, cutoff, label, truncation], [result, shown, command, file],
             api_visibility="private")  # fmt: skip


def _translation(gradio: Any, player: Player) -> None:
    can = player.can
    with gradio.Row():
        with gradio.Column(scale=1, min_width=220):
            given = gradio.File(label="Images", file_count="multiple", type="filepath", elem_id="to-translate")
            goal = _goal(gradio, player)
            seed = gradio.Number(0, label="Seed", precision=0, minimum=0)
            go = gradio.Button("Translate", variant="primary")
        with gradio.Column(scale=3, visible=False) as result:
            shown = gradio.Image(label="Given, and translated", format="png", buttons=[], interactive=False,
                                 elem_classes="labelled")  # fmt: skip
            said = gradio.Markdown()
            command, file = _result(gradio, "translated")

    def translate(given: Sequence[str] | None, goal: Any, seed: int) -> list[Any]:
        if isinstance(goal, list):  # of attributes all are said
            goal = [f"{name}={int(name in goal)}" for name in _attributes(can.labels)]
        made = player.make(translated(given or [], _said(goal), can.relabels, int(seed or 0)), "translated/")
        sheet = [each for each in made.files if each.name == SIDE_BY_SIDE]
        return [gradio.Column(visible=True), str(sheet[0]), made.said, made.command, _files(gradio, made)]

    go.click(
        _guarded(gradio, translate), [given, goal, seed], [result, shown, said, command, file], api_visibility="private"
    )


def _projection(gradio: Any, player: Player) -> None:
    can = player.can
    with gradio.Row():
        with gradio.Column(scale=1, min_width=220):
            given = gradio.File(label="An image", file_count="multiple", type="filepath", elem_id="to-project")
            steps = gradio.Slider(0, 1000, 200, step=10, label="Steps of the descent")
            versions = gradio.Slider(0, 16, 4, step=1, label="New versions")
            strength = gradio.Slider(0, 1, 0.3, step=0.05, label="How new they are")
            label = _label(gradio, player)
            layers = gradio.Checkbox(label="A style for each layer", visible=can.each_layer)
            seed = gradio.Number(0, label="Seed", precision=0, minimum=0)
            go = gradio.Button("Project", variant="primary")
            encode = gradio.Button("Encode", visible=can.encode)
        with gradio.Column(scale=3, visible=False) as result:
            shown = gradio.Image(
                label="Given, nearest, versions", buttons=[], interactive=False, elem_classes="labelled"
            )
            said = gradio.Markdown()
            command, file = _result(gradio, "projected")

    def project(
        given: Any, steps: int, versions: int, strength: float, label: Any, layers: bool, seed: int
    ) -> list[Any]:
        words = projected(given or [], int(steps), int(versions), strength, int(seed or 0), _said(label), bool(layers))
        made = player.make(words, "projected.png")
        return [gradio.Column(visible=True), str(made.files[0]), made.said, made.command, _files(gradio, made)]

    def read(given: Any, label: Any) -> list[Any]:
        words = encoded(given or [], _said(label))
        made = player.make(words, "encoded.png" if words[0] == "project" else "encoded.gif")
        return [gradio.Column(visible=True), str(made.files[0]), made.said, made.command, _files(gradio, made)]

    outputs = [result, shown, said, command, file]
    go.click(_guarded(gradio, project), [given, steps, versions, strength, label, layers, seed], outputs,
             api_visibility="private")  # fmt: skip
    encode.click(_guarded(gradio, read), [given, label], outputs, api_visibility="private")


def _label(gradio: Any, player: Player) -> Any:
    """What chooses a label, by its kind."""
    can = player.can
    if can.label == "class":
        return gradio.Dropdown([("drawn by the seed", ""), *can.labels], value="", label="Label")
    if can.label == "attributes":
        return gradio.Dropdown(
            list(can.labels), value=[], multiselect=True, label="Attributes", info="others are drawn by the seed"
        )
    return gradio.Textbox(label="Label", visible=bool(can.label), info="as --label takes it; empty: drawn by the seed")


def _goal(gradio: Any, player: Player) -> Any:
    """What chooses where to translate to."""
    can = player.can
    if can.domains or can.label == "class":
        goals = list(can.domains or can.labels)
        return gradio.Radio(goals, value=goals[-1], label="To")
    if can.label == "attributes":
        names = _attributes(can.labels)
        return gradio.CheckboxGroup(names, label="Attributes", info="that the image shall have; it gets no other")
    return gradio.Textbox(label="Label", info="as --label takes it")


def _attributes(labels: Sequence[str]) -> list[str]:
    """The names of those that can be chosen as ``NAME=1`` and ``NAME=0``."""
    return list(dict.fromkeys(label.rpartition("=")[0] for label in labels))


def _result(gradio: Any, name: str) -> tuple[Any, Any]:
    """Where the command and the file of a result stand."""
    command = gradio.Code(
        label="The command that makes this", language=None, interactive=False, lines=1, wrap_lines=True,
        show_line_numbers=False, elem_id=f"command-{name}",
    )  # fmt: skip
    return command, gradio.File(label="Download", visible=False, file_count="multiple", elem_id=f"file-{name}")


def _files(gradio: Any, made: Made) -> Any:
    return gradio.File([str(each) for each in made.files], visible=True)


def _hidden(gradio: Any) -> Any:
    return gradio.File(visible=False)


def _truncation(value: float | None) -> float:
    """1, none, of a control that is not on the page."""
    return 1.0 if value is None else value


def _said(label: Any) -> str:
    """What a control of labels or codes says, as the option takes it; "" of one that is not on the page."""
    return ",".join(label) if isinstance(label, list) else (label or "").strip()


def _plain(text: str) -> str:
    """A text in which Markdown and HTML find nothing of theirs."""
    return "".join(f"&#{ord(letter)};" if letter in "<>&*_`[]#|\\" else letter for letter in text)


def _guarded(gradio: Any, work: Callable[..., Any]) -> Callable[..., Any]:
    """What was asked wrongly, or failed, is a sentence on the page."""

    @wraps(work)
    def guarded(*given: Any) -> Any:
        try:
            return work(*given)
        except GanzooError as error:
            raise gradio.Error(str(error), print_exception=False) from error
        except click.ClickException as error:
            raise gradio.Error(error.format_message(), print_exception=False) from error

    return guarded
