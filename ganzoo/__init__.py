"""ganzoo: a zoo of generative adversarial networks, each a plugin.

    import ganzoo
    run = ganzoo.train("dcgan", "anime", epochs=5)
    images = ganzoo.load(run.path).sample(16, seed=1)      # [16, 3, 64, 64] in [-1, 1]

Importing the package imports no torch; the names below are fetched when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ganzoo.errors import GanzooError, UsageError

if TYPE_CHECKING:
    from ganzoo.animation import animate
    from ganzoo.benchmark import bench
    from ganzoo.catalogue import architectures, recipes
    from ganzoo.description import describe
    from ganzoo.discrimination import verdicts
    from ganzoo.evaluation import evaluate
    from ganzoo.exporting import export
    from ganzoo.latents import Projection
    from ganzoo.model import Model, load
    from ganzoo.movies import save_movie
    from ganzoo.perclass import PerClass, resume_per_class, train_per_class
    from ganzoo.pictures import sheet
    from ganzoo.pluginfile import use_plugin
    from ganzoo.runs import Run, list_runs
    from ganzoo.sharing import pull, push
    from ganzoo.training import Stopped, extend, resume, train, trained

__version__ = "0.1.0"
DISTRIBUTION = "ganzoo"  # what pip calls it: pyproject's `name`, and what plugins depend on

_MODULE_OF = {
    "animate": "ganzoo.animation",
    "architectures": "ganzoo.catalogue",
    "recipes": "ganzoo.catalogue",
    "bench": "ganzoo.benchmark",
    "describe": "ganzoo.description",
    "evaluate": "ganzoo.evaluation",
    "export": "ganzoo.exporting",
    "Projection": "ganzoo.latents",
    "Model": "ganzoo.model",
    "load": "ganzoo.model",
    "PerClass": "ganzoo.perclass",
    "resume_per_class": "ganzoo.perclass",
    "train_per_class": "ganzoo.perclass",
    "use_plugin": "ganzoo.pluginfile",
    "save_movie": "ganzoo.movies",
    "sheet": "ganzoo.pictures",
    "Run": "ganzoo.runs",
    "list_runs": "ganzoo.runs",
    "pull": "ganzoo.sharing",
    "push": "ganzoo.sharing",
    "Stopped": "ganzoo.training",
    "extend": "ganzoo.training",
    "resume": "ganzoo.training",
    "train": "ganzoo.training",
    "trained": "ganzoo.training",
    "verdicts": "ganzoo.discrimination",
}

__all__ = [
    "GanzooError",
    "Model",
    "PerClass",
    "Projection",
    "Run",
    "Stopped",
    "UsageError",
    "animate",
    "architectures",
    "bench",
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
    "save_movie",
    "sheet",
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
