"""ganzoo: a zoo of generative adversarial networks, each a plugin.

    import ganzoo
    run = ganzoo.train("dcgan", "anime", epochs=5)
    images = ganzoo.load(run.path).sample(16, seed=1)      # [16, 3, 64, 64] in [-1, 1]

Importing the package imports no torch; the names below are fetched when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ganzoo.about import DISTRIBUTION as DISTRIBUTION
from ganzoo.about import __version__ as __version__
from ganzoo.errors import GanzooError, UsageError

if TYPE_CHECKING:
    from ganzoo_hub.sharing import pull, push

    from ganzoo.benchmark.bench import bench
    from ganzoo.catalogue.catalogue import architectures, recipes
    from ganzoo.catalogue.single_file import use_plugin
    from ganzoo.model.export import export
    from ganzoo.model.latents import Projection
    from ganzoo.model.model import Model, load
    from ganzoo.pictures.grid import sheet
    from ganzoo.pictures.movie import save_movie
    from ganzoo.plan.describe import describe
    from ganzoo.runs.animation import animate
    from ganzoo.runs.compare import Comparison, compare
    from ganzoo.runs.per_class import PerClass
    from ganzoo.runs.run import Run, list_runs
    from ganzoo.runs.sweep import Sweep
    from ganzoo.scoring.evaluate import evaluate
    from ganzoo.training.discriminator import verdicts
    from ganzoo.training.per_class import resume_per_class, train_per_class
    from ganzoo.training.sweep import resume_sweep, sweep
    from ganzoo.training.train import Stopped, extend, resume, train, trained


_MODULE_OF = {
    "animate": "ganzoo.runs.animation",
    "architectures": "ganzoo.catalogue.catalogue",
    "recipes": "ganzoo.catalogue.catalogue",
    "bench": "ganzoo.benchmark.bench",
    "Comparison": "ganzoo.runs.compare",
    "compare": "ganzoo.runs.compare",
    "describe": "ganzoo.plan.describe",
    "evaluate": "ganzoo.scoring.evaluate",
    "export": "ganzoo.model.export",
    "Projection": "ganzoo.model.latents",
    "Model": "ganzoo.model.model",
    "load": "ganzoo.model.model",
    "PerClass": "ganzoo.training.per_class",
    "resume_per_class": "ganzoo.training.per_class",
    "train_per_class": "ganzoo.training.per_class",
    "use_plugin": "ganzoo.catalogue.single_file",
    "save_movie": "ganzoo.pictures.movie",
    "sheet": "ganzoo.pictures.grid",
    "Run": "ganzoo.runs.run",
    "Sweep": "ganzoo.runs.sweep",
    "resume_sweep": "ganzoo.training.sweep",
    "sweep": "ganzoo.training.sweep",
    "list_runs": "ganzoo.runs.run",
    "pull": "ganzoo_hub.sharing",
    "push": "ganzoo_hub.sharing",
    "Stopped": "ganzoo.training.train",
    "extend": "ganzoo.training.train",
    "resume": "ganzoo.training.train",
    "train": "ganzoo.training.train",
    "trained": "ganzoo.training.train",
    "verdicts": "ganzoo.training.discriminator",
}

__all__ = [
    "Comparison",
    "GanzooError",
    "Model",
    "PerClass",
    "Projection",
    "Run",
    "Stopped",
    "Sweep",
    "UsageError",
    "animate",
    "architectures",
    "bench",
    "compare",
    "describe",
    "evaluate",
    "export",
    "extend",
    "list_runs",
    "load",
    "pull",
    "push",
    "recipes",
    "resume",
    "resume_per_class",
    "resume_sweep",
    "save_movie",
    "sheet",
    "sweep",
    "train",
    "train_per_class",
    "trained",
    "use_plugin",
    "verdicts",
]


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"ganzoo has no {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
