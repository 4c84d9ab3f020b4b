"""Everything that a plugin imports from ganzoo. What stands here is versioned; the rest of the package may change.

Every name is explained in the reference, docs/plugins/reference.md, which is installed into the environment's folder as
share/doc/ganzoo/reference.md.
Importing it imports no torch: names that need it are fetched when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ganzoo.cards import API, Card, DatasetCard, LoggerCard, LossCard, MetricCard, PenaltyCard, RecipeCard
from ganzoo.errors import GanzooError, UsageError
from ganzoo.extras import need
from ganzoo.hookspecs import hookimpl
from ganzoo.spec import option

if TYPE_CHECKING:
    from ganzoo.architecture import (
        Architecture,
        Batch,
        DataSpec,
        Discriminator,
        Generator,
        Judging,
        Loss,
        Progress,
        Styled,
        TrainingState,
        Translator,
        Update,
    )
    from ganzoo.augment import DiffAugment
    from ganzoo.data import Source
    from ganzoo.growing import (
        Growing,
        GrowingConfig,
        GrowingDiscriminator,
        GrowingGenerator,
        feature_maps,
    )
    from ganzoo.layers import (
        Blur,
        EqualizedConv2d,
        EqualizedLinear,
        MinibatchStddev,
        PixelNorm,
        downsample,
        fade,
        upsample,
    )
    from ganzoo.losses import make_loss
    from ganzoo.metrics import Evidence, Metric, Scores
    from ganzoo.parallel import mean_over_processes
    from ganzoo.penalties import Penalty, make_penalties, squared_norm
    from ganzoo.pool import ImagePool
    from ganzoo.randomness import rows
    from ganzoo.runs import Run
    from ganzoo.twodomains import TwoDomains, TwoDomainsConfig
    from ganzoo.twoplayer import TwoPlayer, TwoPlayerConfig

_LAZY = {
    "ganzoo.architecture": (
        "Architecture", "Batch", "DataSpec", "Discriminator", "Generator", "Judging", "Loss", "Progress", "Styled",
        "TrainingState", "Translator", "Update",
    ),
    "ganzoo.augment": ("DiffAugment",),
    "ganzoo.data": ("Source",),
    "ganzoo.growing": ("Growing", "GrowingConfig", "GrowingDiscriminator", "GrowingGenerator", "feature_maps"),
    "ganzoo.layers": (
        "Blur", "EqualizedConv2d", "EqualizedLinear", "MinibatchStddev", "PixelNorm", "downsample", "fade", "upsample",
    ),
    "ganzoo.losses": ("make_loss",),
    "ganzoo.metrics": ("Evidence", "Metric", "Scores"),
    "ganzoo.parallel": ("mean_over_processes",),
    "ganzoo.penalties": ("Penalty", "make_penalties", "squared_norm"),
    "ganzoo.pool": ("ImagePool",),
    "ganzoo.randomness": ("rows",),
    "ganzoo.runs": ("Run",),
    "ganzoo.twodomains": ("TwoDomains", "TwoDomainsConfig"),
    "ganzoo.twoplayer": ("TwoPlayer", "TwoPlayerConfig"),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names}

__all__ = [
    "API",
    "Architecture",
    "Batch",
    "Blur",
    "Card",
    "DataSpec",
    "DatasetCard",
    "DiffAugment",
    "Discriminator",
    "EqualizedConv2d",
    "EqualizedLinear",
    "Evidence",
    "GanzooError",
    "Generator",
    "Growing",
    "GrowingConfig",
    "GrowingDiscriminator",
    "GrowingGenerator",
    "ImagePool",
    "Judging",
    "LoggerCard",
    "Loss",
    "LossCard",
    "Metric",
    "MetricCard",
    "MinibatchStddev",
    "Penalty",
    "PenaltyCard",
    "PixelNorm",
    "Progress",
    "RecipeCard",
    "Run",
    "Scores",
    "Source",
    "Styled",
    "TrainingState",
    "Translator",
    "TwoDomains",
    "TwoDomainsConfig",
    "TwoPlayer",
    "TwoPlayerConfig",
    "Update",
    "UsageError",
    "downsample",
    "fade",
    "feature_maps",
    "hookimpl",
    "make_loss",
    "make_penalties",
    "mean_over_processes",
    "need",
    "option",
    "rows",
    "squared_norm",
    "upsample",
]


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"ganzoo.api has no {name!r}")


def __dir__() -> list[str]:
    return __all__
