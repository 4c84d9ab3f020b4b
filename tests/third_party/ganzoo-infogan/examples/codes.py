"""A metric: does a trained InfoGAN's categorical code name the data's labels?

    ganzoo evaluate RUN --plugin examples/codes.py --metric codes:model=RUN

A metric is given images and not the model, so the model's path is an option of it. The label of an image is that of its
nearest neighbour among the data's images; how often that is right of images held out is said beside the score.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import ganzoo
import torch
from ganzoo.api import Evidence, MetricCard, Scores, UsageError, hookimpl, option
from torch import Tensor


@hookimpl
def ganzoo_metrics() -> Iterator[MetricCard]:
    yield MetricCard(
        name="codes",
        summary="Share of an InfoGAN's images that show the label their code stands for.",
        api=2,
        better={"code-accuracy": "larger"},
        metric="codes:Codes",
    )


@dataclass(frozen=True)
class Codes:
    model: str = option("", "the run, or its model.safetensors")
    images: int = option(200, "of each code", low=1)
    neighbours: int = option(5_000, "images of the data to look among", low=1)

    def __call__(self, evidence: Evidence) -> Scores:
        if not self.model or evidence.dataset is None:
            raise UsageError("The metric codes asks for the model: --metric codes:model=RUN.")
        known, held_out = evidence.dataset.split()
        known_images, known_labels = some(known, self.neighbours)
        held_images, held_labels = some(held_out, 1_000)
        right = (nearest(held_images, known_images, known_labels) == held_labels).float().mean().item()

        architecture = ganzoo.load(self.model).architecture.eval()
        categories, classes = architecture.config.categories, architecture.data.classes
        z = torch.randn(categories * self.images, architecture.latent_dim, generator=seeded(evidence.seed))
        codes = torch.arange(categories).repeat_interleave(self.images)
        with torch.no_grad():
            shown = architecture.generate_codes(z, category=codes)
        labels = nearest(shown, known_images, known_labels)
        table = torch.zeros(categories, len(classes), dtype=torch.int64)
        table.index_put_((codes, labels), torch.ones_like(labels), accumulate=True)

        say(f"The nearest neighbour names {right:.1%} of {len(held_labels)} images held out.")
        say("code", *(f"{name:>5}" for name in classes))
        for code, row in enumerate(table.tolist()):
            say(f"{code:>4}", *(f"{number:>5}" for number in row))
        if evidence.folder is not None:
            rows = shown.unflatten(0, (categories, self.images))[:, :10].flatten(0, 1)
            ganzoo.sheet(rows, columns=10).save(evidence.folder / "codes.png")
        best = table.max(1)
        return Scores(
            {"code-accuracy": best.values.sum().item() / len(labels), "labels": len(best.indices.unique())},
            neighbour_accuracy=right,
        )


def say(*words: str) -> None:
    """To standard error: with --json, standard output is JSON alone."""
    print(*words, file=sys.stderr)


def some(part, most: int) -> tuple[Tensor, Tensor]:
    """The first images [N, C, H, W] of a part of the data, and their labels [N]."""
    indices = torch.arange(min(most, len(part)))
    return torch.as_tensor(part.gather(indices)), torch.as_tensor(part.labels)[indices]


def nearest(images: Tensor, known: Tensor, labels: Tensor) -> Tensor:
    """The label of each image's nearest neighbour, [N]."""
    return labels[torch.cdist(images.flatten(1), known.flatten(1)).argmin(1)]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
