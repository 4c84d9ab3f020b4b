"""Everything that a plugin imports from ganzoo. What stands here is versioned; the rest of the package may change.

Every name is explained in the reference, docs/plugins/reference.md, which is installed into the environment's folder as
share/doc/ganzoo/reference.md.
Importing it imports no torch: names that need it are fetched when first used.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from ganzoo.about import ADDRESS
from ganzoo.contract import renamed
from ganzoo.contract.cards import (
    API,
    ArchitectureCard,
    AugmentationCard,
    CommandCard,
    DatasetCard,
    LoggerCard,
    LossCard,
    MetricCard,
    ModalityCard,
    PenaltyCard,
    RecipeCard,
    SchemeCard,
)
from ganzoo.contract.hookspecs import hookimpl
from ganzoo.contract.options import command_words, option, typed
from ganzoo.errors import GanzooError, UsageError, csv_cell, need, printable, suggest, without_login
from ganzoo.files import home, locked, make_folder, megabytes, read_text, replaced, written

if TYPE_CHECKING:
    from ganzoo_layers.shared import normal_init, spectral_norm
    from ganzoo_progan.layers import (
        Blur,
        EqualizedConv2d,
        EqualizedLinear,
        MinibatchStddev,
        PixelNorm,
        downsample,
        fade,
        upsample,
    )
    from ganzoo_translation.image_pool import ImagePool
    from ganzoo_translation.two_domains import TwoDomains, TwoDomainsConfig, linear_decay

    from ganzoo.catalogue.catalogue import better_scores, listening
    from ganzoo.catalogue.components import make_augmentation, make_generator, make_loss, make_penalties
    from ganzoo.catalogue.single_file import plugin_files, use_plugin
    from ganzoo.contract.abilities import Abilities
    from ganzoo.contract.architecture import (
        Architecture,
        Discriminator,
        Generator,
        Judging,
        Loss,
        Progress,
        Styled,
        TrainingState,
        Translator,
        Update,
        check_judges,
    )
    from ganzoo.contract.augmentation import AdaptiveAugmentation, Augmentation, Augmentations
    from ganzoo.contract.data_spec import Batch, DataSpec
    from ganzoo.contract.distributed import gather, mean_over_processes, rank, share
    from ganzoo.contract.frozen import Frozen, Pretrained
    from ganzoo.contract.metric import DataItems, Evidence, Items, Metric, Scores, TranslationEvidence
    from ganzoo.contract.modality import Modality, Unreadable
    from ganzoo.contract.networks import full_precision, generator_state
    from ganzoo.contract.penalties import Penalties, Penalty
    from ganzoo.contract.randomness import derive, rows, stream
    from ganzoo.contract.report import Report, silent
    from ganzoo.contract.scheme import Fetched, Scheme
    from ganzoo.contract.settings import parse_seeds
    from ganzoo.contract.stored import as_json, from_json
    from ganzoo.contract.warning import TrainingWarning
    from ganzoo.data.readers import Reader, open_reader
    from ganzoo.data.source import Item, Source
    from ganzoo.gan.augment import DiffAugment
    from ganzoo.gan.losses import generator_loss
    from ganzoo.gan.penalties import squared_norm
    from ganzoo.gan.two_player import Adversarial, AdversarialConfig, ConditionalConfig, TwoPlayer, TwoPlayerConfig
    from ganzoo.loop.allocator import memory_held
    from ganzoo.loop.display import Display, Lines, Moment, duration
    from ganzoo.loop.interrupts import Interruptible
    from ganzoo.loop.processes import one_run_only
    from ganzoo.loop.session import Session
    from ganzoo.loop.trainer import Trainer
    from ganzoo.model.imported import Foreign, Imported, save_imported
    from ganzoo.model.model import Model
    from ganzoo.model.model import load as load_model
    from ganzoo.pictures.framed import as_html
    from ganzoo.pictures.grid import grid, sheet, to_picture
    from ganzoo.plan.recipe import read_toml
    from ganzoo.runs.address import destination, is_remote, stem
    from ganzoo.runs.address import fetch as fetch_model
    from ganzoo.runs.checkpoint import checksum
    from ganzoo.runs.checkpoint import load as load_tensors
    from ganzoo.runs.checkpoint import save as save_tensors
    from ganzoo.runs.curves import panels_of
    from ganzoo.runs.header import ModelHeader, RunHeader, architecture_of, model_header
    from ganzoo.runs.rows import Evaluation, Measured
    from ganzoo.runs.run import Run, list_runs
    from ganzoo.runs.weights import pretrained_tensors
    from ganzoo.scoring.evaluator import judged_data, other_data
    from ganzoo.training.prepare import prepared
    from ganzoo.training.train import Stopped, check_training, deadline_of, resume, time_left, train, trained

_LAZY = {
    "ganzoo.contract.frozen": ("Frozen", "Pretrained"),
    "ganzoo.contract.report": ("Report", "silent"),
    "ganzoo.contract.warning": ("TrainingWarning",),
    "ganzoo.pictures.framed": ("as_html",),
    "ganzoo.pictures.grid": ("grid", "sheet", "to_picture"),
    "ganzoo.loop.allocator": ("memory_held",),
    "ganzoo.loop.display": ("Display", "Lines", "Moment", "duration"),
    "ganzoo.loop.interrupts": ("Interruptible",),
    "ganzoo.loop.processes": ("one_run_only",),
    "ganzoo.loop.session": ("Session",),
    "ganzoo.loop.trainer": ("Trainer",),
    "ganzoo.catalogue.single_file": ("plugin_files", "use_plugin"),
    "ganzoo.model.imported": ("Foreign", "Imported", "save_imported"),
    "ganzoo.model.model": ("Model", "load_model"),
    "ganzoo.runs.address": ("destination", "fetch_model", "is_remote", "stem"),
    "ganzoo.runs.header": ("ModelHeader", "RunHeader", "architecture_of", "model_header"),
    "ganzoo.data.source": ("Item", "Source"),
    "ganzoo.data.readers": ("Reader", "open_reader"),
    "ganzoo.contract.abilities": ("Abilities",),
    "ganzoo.contract.architecture": (
        "Architecture", "Discriminator", "Generator", "Judging", "Loss", "Progress", "Styled", "TrainingState",
        "Translator", "Update", "check_judges",
    ),
    "ganzoo.contract.data_spec": ("Batch", "DataSpec"),
    "ganzoo.contract.augmentation": ("AdaptiveAugmentation", "Augmentation", "Augmentations"),
    "ganzoo.gan.augment": ("DiffAugment",),
    "ganzoo.gan.losses": ("generator_loss",),
    "ganzoo.contract.metric": ("TranslationEvidence", "Items", "DataItems", "Evidence", "Metric", "Scores"),
    "ganzoo.contract.distributed": ("gather", "mean_over_processes", "rank", "share"),
    "ganzoo.catalogue.catalogue": ("better_scores", "listening"),
    "ganzoo.catalogue.components": ("make_augmentation", "make_generator", "make_loss", "make_penalties"),
    "ganzoo.gan.penalties": ("squared_norm",),
    "ganzoo.contract.modality": ("Modality", "Unreadable"),
    "ganzoo.contract.networks": ("full_precision", "generator_state"),
    "ganzoo.contract.penalties": ("Penalties", "Penalty"),
    "ganzoo.contract.stored": ("as_json", "from_json"),
    "ganzoo.contract.settings": ("parse_seeds",),
    "ganzoo.contract.scheme": ("Fetched", "Scheme"),
    "ganzoo.contract.randomness": ("derive", "rows", "stream"),
    "ganzoo.runs.checkpoint": ("checksum", "load_tensors", "save_tensors"),
    "ganzoo.runs.curves": ("panels_of",),
    "ganzoo.runs.rows": ("Evaluation", "Measured"),
    "ganzoo.runs.run": ("Run", "list_runs"),
    "ganzoo.scoring.evaluator": ("judged_data", "other_data"),
    "ganzoo.runs.weights": ("pretrained_tensors",),
    "ganzoo.plan.recipe": ("read_toml",),
    "ganzoo.training.prepare": ("prepared",),
    "ganzoo.training.train": (
        "Stopped", "check_training", "deadline_of", "resume", "time_left", "train", "trained",
    ),
    "ganzoo.gan.two_player": ("Adversarial", "AdversarialConfig", "ConditionalConfig", "TwoPlayer", "TwoPlayerConfig"),
    # What many plugins share, and where names of the contract's number 1 have gone.
    "ganzoo_layers.shared": ("normal_init", "spectral_norm"),
    "ganzoo_progan.growing": ("Growing", "GrowingConfig", "GrowingDiscriminator", "GrowingGenerator", "feature_maps"),
    "ganzoo_progan.layers": (
        "Blur", "EqualizedConv2d", "EqualizedLinear", "MinibatchStddev", "PixelNorm", "downsample", "fade", "upsample",
    ),
    "ganzoo_translation.image_pool": ("ImagePool",),
    "ganzoo_translation.two_domains": ("TwoDomains", "TwoDomainsConfig", "linear_decay"),
}  # fmt: skip
_RENAMED = {"fetch_model": "fetch", "load_model": "load", "load_tensors": "load", "save_tensors": "save"}
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names}

__all__ = [
    "ADDRESS", "API", "Abilities", "AdaptiveAugmentation", "Adversarial", "AdversarialConfig", "Architecture",
    "ArchitectureCard", "Augmentation", "AugmentationCard", "Augmentations", "Batch", "Blur", "CommandCard",
    "ConditionalConfig", "DataItems", "DataSpec", "DatasetCard", "DiffAugment", "Discriminator", "Display",
    "EqualizedConv2d", "EqualizedLinear", "Evaluation", "Evidence", "Fetched", "Foreign", "Frozen", "GanzooError",
    "Generator", "ImagePool", "Imported", "Interruptible", "Item", "Items", "Judging", "Lines", "LoggerCard", "Loss",
    "LossCard", "Measured", "Metric", "MetricCard", "MinibatchStddev", "Modality", "ModalityCard", "Model",
    "ModelHeader", "Moment", "Penalties", "Penalty", "PenaltyCard", "PixelNorm", "Pretrained", "Progress", "Reader",
    "RecipeCard", "Report", "Run", "RunHeader", "Scheme", "SchemeCard", "Scores", "Session", "Source", "Stopped",
    "Styled", "Trainer", "TrainingState", "TrainingWarning", "TranslationEvidence", "Translator", "TwoDomains",
    "TwoDomainsConfig", "TwoPlayer", "TwoPlayerConfig", "Unreadable", "Update", "UsageError", "architecture_of",
    "as_html", "as_json", "better_scores", "check_judges", "check_training", "checksum", "command_words", "csv_cell",
    "deadline_of", "derive", "destination", "downsample", "duration", "fade", "fetch_model", "from_json",
    "full_precision", "gather", "generator_loss", "generator_state", "grid", "home", "hookimpl", "is_remote",
    "judged_data", "linear_decay", "list_runs", "listening", "load_model", "load_tensors", "locked",
    "make_augmentation", "make_folder", "make_generator", "make_loss", "make_penalties", "mean_over_processes",
    "megabytes", "memory_held", "model_header", "need", "normal_init", "one_run_only", "open_reader", "option",
    "other_data", "panels_of", "parse_seeds", "plugin_files", "prepared", "pretrained_tensors", "printable", "rank",
    "read_text", "read_toml", "replaced", "resume", "rows", "save_imported", "save_tensors", "share", "sheet",
    "silent", "spectral_norm", "squared_norm", "stem", "stream", "suggest", "time_left", "to_picture", "train",
    "trained", "typed", "upsample", "use_plugin", "without_login", "written",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name]), _RENAMED.get(name, name))
    if name in renamed.API:
        return getattr(sys.modules[__name__], renamed.API[name])
    raise AttributeError(f"ganzoo.api has no {name!r}")


def __dir__() -> list[str]:
    return __all__
