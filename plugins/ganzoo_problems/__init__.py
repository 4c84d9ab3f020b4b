"""The problems one meets, as recipes: each shown on purpose, and mended.

A plugin may have recipes alone: these train other plugins' architectures on other plugins' data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganzoo.api import RecipeCard, hookimpl

OFTEN = {"sample_every": 25, "checkpoint_every": 1000}  # for `ganzoo animate`; epochs of points are short


def _pair(
    name: str,
    problem: str,
    mended: str,
    architecture: str,
    data: str,
    preset: str,
    steps: int,
    shared: Mapping[str, Any],
    wrong: Mapping[str, Any],
    right: Mapping[str, Any],
) -> Iterator[RecipeCard]:
    """The recipe that shows a problem, and the one that mends it by nothing but the options in `right`."""
    for suffix, summary, options in (("", problem, wrong), ("-mended", mended, right)):
        yield RecipeCard(
            name=f"problem-{name}{suffix}",
            summary=summary,
            architecture=architecture,
            data=data,
            preset=preset,
            options={**shared, **options},
            stages=({"steps": steps},),
            api=2,
        )


@hookimpl
def ganzoo_recipes() -> Iterator[RecipeCard]:
    yield from _pair(
        "collapse",
        "Mode collapse: G learns ten times as fast as D, and runs from mode to mode.",
        "Mode collapse, mended: D has five turns for each of G's.",
        "gan", "points", "points", 2000,
        {"lr": 1e-3, "lr_d": 1e-4, "ema": 0, **OFTEN},
        {"n_critic": 1},
        {"n_critic": 5},
    )  # fmt: skip
    yield from _pair(
        "vanishing",
        "Vanishing gradients: D is confident, and the minimax loss leaves G nothing to learn from.",
        "Vanishing gradients, mended: the non-saturating loss against the same D.",
        "gan", "digits", "small", 1500,
        {"resolution": 32, "lr_d": 1e-3, "hidden_d": (256, 256), "gradients": True},
        {"loss": "minimax"},
        {"loss": "nonsaturating"},
    )  # fmt: skip
    yield from _pair(
        "divergence",
        "Divergence: a Wasserstein critic without a bound, whose numbers grow without end.",
        "Divergence, mended: a gradient penalty bounds the critic.",
        "gan", "points", "points", 1000,
        {"loss": "wasserstein", "lr": 2e-3, "n_critic": 5, "gradients": True, "on_divergence": "continue", **OFTEN},
        {"penalty": ""},
        {"penalty": "wgan-gp:weight=1"},
    )  # fmt: skip
    yield from _pair(
        "few-images",
        "Too few images: D overfits: it memorises a hundred images.",
        "Too few images, mended: D sees them augmented, and G's alike.",
        "dcgan", "digits:images=100", "small", 3000,
        {"sample_every": 250, "checkpoint_every": 1000},
        {"augment": "none"},
        {"augment": "diffaug"},
    )  # fmt: skip
