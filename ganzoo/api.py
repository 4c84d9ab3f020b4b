"""Everything that a plugin imports from ganzoo. What stands here is versioned; the rest of the package may change.

Every name is explained in the reference, docs/plugins/reference.md, which is installed into the environment's folder as
share/doc/ganzoo/reference.md.
Importing it imports no torch: names that need it are fetched when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ganzoo.contract.cards import (
    API,
    ArchitectureCard,
    DatasetCard,
    LoggerCard,
    LossCard,
    MetricCard,
    ModalityCard,
    PenaltyCard,
    RecipeCard,
)
from ganzoo.contract.hookspecs import hookimpl
from ganzoo.contract.options import option
from ganzoo.errors import GanzooError, UsageError, need

if TYPE_CHECKING:
    from ganzoo.catalogue.components import make_loss, make_penalties
    from ganzoo.contract.architecture import (
        Architecture,
        Batch,
        DataSpec,
        Discriminator,
        Generator,
        Judging,
        Loss,
        Penalty,
        Progress,
        Styled,
        TrainingState,
        Translator,
        Update,
    )
    from ganzoo.contract.distributed import mean_over_processes
    from ganzoo.contract.metric import Evidence, Metric, Scores
    from ganzoo.contract.modality import Modality, Unreadable
    from ganzoo.contract.randomness import rows
    from ganzoo.data import Source
    from ganzoo.gan.augment import DiffAugment
    from ganzoo.gan.image_pool import ImagePool
    from ganzoo.gan.layers import (
        Blur,
        EqualizedConv2d,
        EqualizedLinear,
        MinibatchStddev,
        PixelNorm,
        downsample,
        fade,
        normal_init,
        upsample,
    )
    from ganzoo.gan.losses import generator_loss
    from ganzoo.gan.penalties import squared_norm
    from ganzoo.gan.two_domains import TwoDomains, TwoDomainsConfig
    from ganzoo.gan.two_player import TwoPlayer, TwoPlayerConfig
    from ganzoo.growing import (
        Growing,
        GrowingConfig,
        GrowingDiscriminator,
        GrowingGenerator,
        feature_maps,
    )
    from ganzoo.runs.run import Run

_LAZY = {
    "ganzoo.contract.architecture": (
        "Architecture", "Batch", "DataSpec", "Discriminator", "Generator", "Judging", "Loss", "Penalty", "Progress",
        "Styled", "TrainingState", "Translator", "Update",
    ),
    "ganzoo.gan.augment": ("DiffAugment",),
    "ganzoo.data": ("Source",),
    "ganzoo.growing": ("Growing", "GrowingConfig", "GrowingDiscriminator", "GrowingGenerator", "feature_maps"),
    "ganzoo.gan.layers": (
        "Blur", "EqualizedConv2d", "EqualizedLinear", "MinibatchStddev", "PixelNorm", "downsample", "fade",
        "normal_init", "upsample",
    ),
    "ganzoo.gan.losses": ("generator_loss",),
    "ganzoo.metrics": ("Evidence", "Metric", "Scores"),
    "ganzoo.loop.processes": ("mean_over_processes",),
    "ganzoo.catalogue.components": ("make_loss", "make_penalties"),
    "ganzoo.gan.penalties": ("squared_norm",),
    "ganzoo.gan.image_pool": ("ImagePool",),
    "ganzoo.contract.modality": ("Modality", "Unreadable"),
    "ganzoo.contract.randomness": ("rows",),
    "ganzoo.runs.run": ("Run",),
    "ganzoo.gan.two_domains": ("TwoDomains", "TwoDomainsConfig"),
    "ganzoo.gan.two_player": ("TwoPlayer", "TwoPlayerConfig"),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names}

__all__ = [
    "API",
    "Architecture",
    "ArchitectureCard",
    "Batch",
    "Blur",
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
    "Modality",
    "ModalityCard",
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
    "Unreadable",
    "Update",
    "UsageError",
    "downsample",
    "fade",
    "feature_maps",
    "generator_loss",
    "hookimpl",
    "make_loss",
    "make_penalties",
    "mean_over_processes",
    "need",
    "normal_init",
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
