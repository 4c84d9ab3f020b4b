"""The `ganzoo` command: which commands there are, and where. Nothing of them is imported here."""

from __future__ import annotations

import click

from ganzoo.about import __version__
from ganzoo.cli.completion import install_option
from ganzoo.cli.framework import Group

ZOO, TRAINING, USING, MACHINE = "The zoo", "Training", "Using what was trained", "Data and this machine"

# name: (section of the help, where it is, what it does)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "list": (ZOO, "ganzoo.cli.zoo:list_zoo", "List the architectures of every installed plugin."),
    "show": (ZOO, "ganzoo.cli.show:show", "Show an architecture: options, presets, sizes, recipes."),
    "plugins": (ZOO, "ganzoo.cli.plugins:plugins", "List the installed plugins, working or not."),
    "train": (TRAINING, "ganzoo.cli.train:train", "Train an architecture on a data set."),
    "plan": (TRAINING, "ganzoo.cli.train:plan", "Say what a training would take: time, memory, disk."),
    "resume": (TRAINING, "ganzoo.cli.train:resume", "Go on with a run exactly where it stopped."),
    "extend": (TRAINING, "ganzoo.cli.train:extend", "Train a run further, with changed options."),
    "runs": (TRAINING, "ganzoo.cli.runs:runs", "List the runs in a folder."),
    "sample": (USING, "ganzoo.cli.sample:sample", "Make new images with a trained run or model."),
    "mix": (USING, "ganzoo.cli.mix:mix", "Mix the styles of generated images."),
    "translate": (
        USING,
        "ganzoo.cli.translate:translate",
        "Translate images to another domain, or to a label, with a trained run.",
    ),
    "interpolate": (
        USING,
        "ganzoo.cli.interpolate:interpolate",
        "Walk from image to image through the latents, and back to the first.",
    ),
    "project": (USING, "ganzoo.cli.project:project", "Find the latent of an image, and make new versions of it."),
    "evaluate": (USING, "ganzoo.cli.evaluate:evaluate", "Score a model against the data it was trained on."),
    "data": (MACHINE, "ganzoo.cli.data:data", "Add, list, look at and remove data sets."),
    "weights": (
        MACHINE,
        "ganzoo.cli.weights:weights",
        "Add, list and remove pretrained weights that architectures ask for.",
    ),
    "doctor": (MACHINE, "ganzoo.cli.doctor:doctor", "Say what this machine has and what is missing."),
}


app = Group(
    "ganzoo",
    lazy=COMMANDS,
    takes_plugins=True,
    help="""A zoo of generative adversarial networks.

    The first steps: `ganzoo list` shows what there is, `ganzoo train dcgan anime` trains, and `ganzoo sample` makes
    new images with what was trained. Every command explains itself with --help.""",
)
click.version_option(__version__, "-v", "-V", "--version", prog_name="ganzoo", message="%(prog)s %(version)s")(app)
app.params.append(
    click.Option(
        ["--install-completion"], is_flag=False, flag_value="auto", expose_value=False, is_eager=True,
        metavar="[bash|zsh|fish|powershell]", callback=install_option,
        help="Let Tab complete ganzoo's words in this shell, or in the one that is named.",
    )
)  # fmt: skip
