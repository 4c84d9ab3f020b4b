"""ganzoo: a zoo of generative adversarial networks, each a plugin.

    import ganzoo
    run = ganzoo.train("dcgan", "anime", epochs=5)
    run.plot()                                             # the losses
    model = ganzoo.load(run.path)
    images = model.sample(16, seed=1)                      # [16, 3, 64, 64] in [-1, 1]
    faces = model.sample(16, seed=1, as_="pil")            # the same as a list of PIL images
    ganzoo.sheet(images).save("sixteen.png")

What there is     architectures(), recipes(); ganzoo.data.names() and ganzoo.data.add(NAME, FOLDER)
Training          train(ARCHITECTURE, DATA, ...), resume(RUN), extend(RUN, ...), sweep(...); each returns a Run
Runs              list_runs(), Run.open(FOLDER); run.metrics(), run.plot(), run.frame()
Using a model     load(RUN or FILE): model.sample, .interpolate, .mix, .project, .vary, .translate
Pictures          sheet(images), save_movie(images, FILE), animate(RUN)
Scores            evaluate(RUN), compare([RUN, ...])
For others        export(model, FORMAT), push(RUN, ADDRESS), pull(ADDRESS)

help(ganzoo.train) explains the arguments; `ganzoo show dcgan` in a shell lists an architecture's options. In a notebook
an interrupt saves the run and returns it; ganzoo.resume(run) goes on. Importing the package imports no torch; the names
are fetched when first used.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from ganzoo.about import DISTRIBUTION as DISTRIBUTION
from ganzoo.about import __version__ as __version__
from ganzoo.errors import GanzooError, UsageError

if TYPE_CHECKING:
    from ganzoo_animate.animation import animate
    from ganzoo_animate.movie import check_movie, save_movie
    from ganzoo_bench.speed import bench
    from ganzoo_bench.until import time_to_quality
    from ganzoo_compare.comparison import Comparison, compare
    from ganzoo_export.export import export
    from ganzoo_hub.sharing import pull, push
    from ganzoo_sweep.folder import Sweep
    from ganzoo_sweep.sweep import resume_sweep, sweep
    from ganzoo_verdict.verdicts import verdicts

    from ganzoo.catalogue.catalogue import architectures, recipes
    from ganzoo.catalogue.single_file import use_plugin
    from ganzoo.model.latents import Projection
    from ganzoo.model.model import Model, load
    from ganzoo.pictures.grid import sheet
    from ganzoo.plan.describe import describe
    from ganzoo.runs.per_class import PerClass
    from ganzoo.runs.run import Run, list_runs
    from ganzoo.scoring.evaluate import evaluate
    from ganzoo.training.per_class import resume_per_class, train_per_class
    from ganzoo.training.train import Stopped, extend, resume, train, trained


_LAZY = {
    "ganzoo.catalogue.catalogue": ("architectures", "recipes"),
    "ganzoo.catalogue.single_file": ("use_plugin",),
    "ganzoo.model.latents": ("Projection",),
    "ganzoo.model.model": ("Model", "load"),
    "ganzoo.pictures.grid": ("sheet",),
    "ganzoo.plan.describe": ("describe",),
    "ganzoo.runs.per_class": ("PerClass",),
    "ganzoo.runs.run": ("Run", "list_runs"),
    "ganzoo.scoring.evaluate": ("evaluate",),
    "ganzoo.training.per_class": ("resume_per_class", "train_per_class"),
    "ganzoo.training.train": ("Stopped", "extend", "resume", "train", "trained"),
    "ganzoo_animate.animation": ("animate",),
    "ganzoo_animate.movie": ("check_movie", "save_movie"),
    "ganzoo_bench.speed": ("bench",),
    "ganzoo_bench.until": ("time_to_quality",),
    "ganzoo_compare.comparison": ("Comparison", "compare"),
    "ganzoo_export.export": ("export",),
    "ganzoo_hub.sharing": ("pull", "push"),
    "ganzoo_sweep.folder": ("Sweep",),
    "ganzoo_sweep.sweep": ("resume_sweep", "sweep"),
    "ganzoo_verdict.verdicts": ("verdicts",),
}
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names}

__all__ = [
    "Comparison", "GanzooError", "Model", "PerClass", "Projection", "Run", "Stopped", "Sweep", "UsageError", "animate",
    "architectures", "bench", "check_movie", "compare", "describe", "evaluate", "export", "extend", "list_runs", "load",
    "pull", "push", "recipes", "resume", "resume_per_class", "resume_sweep", "save_movie", "sheet", "sweep",
    "time_to_quality", "train", "train_per_class", "trained", "use_plugin", "verdicts",
]  # fmt: skip


_TRAINING = ("train", "resume", "extend", "train_per_class", "resume_per_class", "sweep", "resume_sweep")


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        attribute = getattr(importlib.import_module(_MODULE_OF[name]), name)
        if name in _TRAINING and "IPython" in sys.modules:
            return importlib.import_module("ganzoo_notebook.display").at_home(attribute)
        return attribute
    raise AttributeError(f"ganzoo has no {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
