"""A small classifier of a labelled data set, trained once and kept: what the scores with labels look through.

It is no famous network with weights to download, so that its figures compare runs on the same data and nothing else.
It also learns to be unsure of what is none of the data: jumbled images and clouds of noise. One that never saw such
would call the noise of an untrained generator a certain 1. A little blur or noise is no reason to be unsure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, cross_entropy, interpolate, pad

from ganzoo.api import (
    DataItems,
    Items,
    Report,
    UsageError,
    checksum,
    derive,
    home,
    load_tensors,
    locked,
    make_folder,
    save_tensors,
    share,
    silent,
    stream,
)

VERSION = 4  # of the network and of how it is trained; a new one trains every classifier anew
SMALLEST, LARGEST = 8, 32  # pixels a side; it enlarges what is half as large or less, and averages what is larger
FEATURES = 128
IMAGES, EPOCHS = 220_000, 40  # it is trained for so many images, and at the most so many times on each
BATCH = 128
RATE = 2e-3  # Adam's, falling to 0 in a straight line
UNSURE = 0.5  # weight of being unsure of what is none of the data
NOISE = 0.2  # deviation of the noise on an image, at the most
SHIFT = 2  # pixels by which a batch is moved at random
WINDOW = 256  # samples of a sound from which a column of its spectrogram is made
ROWS, COLUMNS = 64, 32  # of a spectrogram, as it looks at it


class Classifier(nn.Module):
    """Pixels in fours, three convolutions with batch norm, a layer of features, and a logit a class.

    Four pixels side by side become channels first: most of a classifier's time would go into its full-size layers.
    Of a sound it looks at the spectrogram.
    """

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        """shape: (C, H, W) of the images or (C, L) of the sounds. Raises: UsageError when they are too small."""
        super().__init__()
        channels, *sides = shape
        if len(sides) == 1 and sides[0] >= WINDOW:
            self.size = ROWS, COLUMNS
        elif len(sides) == 2 and min(sides) >= SMALLEST:
            self.size = _looked_at(sides[0]), _looked_at(sides[1])
        else:
            raise UsageError(
                f"The classifier needs images of {SMALLEST} pixels or more a side, or sounds of {WINDOW} samples or "
                "more."
            )
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            *_block(4 * channels, 32),
            nn.MaxPool2d(2),
            *_block(32, 64),
            *_block(64, 64),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.feature = nn.Linear(64 * (self.size[0] // 8) * (self.size[1] // 8), FEATURES)
        self.verdict = nn.Linear(FEATURES, classes)

    def look(self, images: Tensor) -> Tensor:
        """Images [N, C, H, W], or spectrograms of sounds [N, C, L], at the size that it looks at."""
        images = spectrograms(images) if images.dim() == 3 else images
        height, width = self.size
        if height > images.shape[2] or width > images.shape[3]:
            return interpolate(images, self.size, mode="bilinear")
        return images if images.shape[2:] == self.size else adaptive_avg_pool2d(images, self.size)

    def features(self, images: Tensor) -> Tensor:
        """Features [N, 128] of images [N, C, H, W] or sounds [N, C, L] in [-1, 1]."""
        return torch.relu(self.feature(self.body(self.look(images))))

    def forward(self, images: Tensor) -> Tensor:
        """Logits [N, classes]."""
        logits: Tensor = self.verdict(self.features(images))
        return logits

    @torch.no_grad()
    def judge(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features [N, 128] and probabilities [N, classes] of images or sounds, some at a time."""
        features = torch.cat(list(share(self.features, torch.split(images, 512))))
        return features, self.verdict(features).softmax(1)


def spectrograms(sounds: Tensor) -> Tensor:
    """Sounds [N, C, L] -> how loud each pitch is over time [N, C, 128, columns]: -1 is silence, 1 a full sine."""
    count, channels, length = sounds.shape
    parts = torch.stft(
        sounds.reshape(-1, length).float(), WINDOW, max(1, length // (2 * COLUMNS)),
        window=torch.hann_window(WINDOW, device=sounds.device), return_complex=True,
    )  # fmt: skip
    loudness = parts[:, 1:].abs() / (WINDOW / 4)
    return ((loudness + 1e-4).log10() / 2 + 1).clamp(-1, 1).view(count, channels, WINDOW // 2, -1)


def _looked_at(side: int) -> int:
    side = min(side, LARGEST)
    return LARGEST // side * side // 2 * 2


def _block(inside: int, outside: int) -> list[nn.Module]:
    return [nn.Conv2d(inside, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()]


@dataclass(frozen=True)
class Trained:
    """A classifier ready to use.

    Attributes:
        accuracy: share of the held-out images that it names rightly.
        training, held_out: how many images it learned from and was tried on.
        sha256: of the file with its weights; figures of other features are not comparable.
    """

    network: Classifier
    accuracy: float
    training: int
    held_out: int
    sha256: str


def trained_classifier(dataset: DataItems, report: Report = silent) -> Trained:
    """The classifier of a labelled data set at its size, trained now unless it was before.

    Args:
        dataset: the whole of it, on the CPU.
    Raises: UsageError when the items have no labels to learn, or are too small.
    """
    learn, held_out = (part.labelled() for part in dataset.split())
    if len(dataset.classes) < 2 or not len(learn) or not len(held_out):
        raise UsageError(f"The data set {dataset.name} has no labels that a classifier could learn.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive("classifier"))
        network = Classifier(dataset.shape, len(dataset.classes)).to(memory_format=torch.channels_last)
    file = _file(dataset)
    if not file.exists():
        make_folder(file.parent)
        with locked(file.with_suffix(".lock"), lambda: report("Waiting for another ganzoo's classifier", 0, 0)):
            if not file.exists():
                _train(
                    network,
                    learn,
                    lambda done: report(f"Training a classifier of {dataset.name}, once and kept", done, 100),
                )
                made = {"data": dataset.name, "fingerprint": dataset.fingerprint, "shape": list(dataset.shape),
                         "classes": list(dataset.classes), "accuracy": _accuracy(network, held_out),
                         "training": len(learn), "held_out": len(held_out)}  # fmt: skip
                save_tensors(file, network.state_dict(), made)
    tensors, facts = load_tensors(file)
    network.load_state_dict(tensors)
    network.eval().requires_grad_(False)
    return Trained(network, facts["accuracy"], facts["training"], facts["held_out"], checksum(file))


def _file(dataset: DataItems) -> Path:
    """Where the classifier is kept; whatever changes its data or its making changes the name."""
    whole = [] if getattr(dataset, "test", None) is None else ["test"]  # then it learns from all of the training part
    key = json.dumps([VERSION, dataset.fingerprint, dataset.shape, dataset.classes, dataset.fit, *whole])
    return home() / "classifiers" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.safetensors"


def _train(network: Classifier, part: Items, report: Callable[[int], None]) -> None:
    """Cross-entropy and Adam on permutations of the data; the same weights each time, on the same machine."""
    assert part.labels is not None
    batch = min(BATCH, len(part))
    steps = max(1, min(IMAGES, EPOCHS * len(part)) // batch)
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    random = stream("classifier", "order")
    network.train()
    order = torch.arange(0)
    report(0)
    for step in range(steps):
        if len(order) < batch:
            order = torch.randperm(len(part), generator=random)
        chosen, order = order[:batch], order[batch:]
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)
        images = _roughened(_shifted(network.look(part.gather(chosen)), random), random)
        optimizer.zero_grad()
        strange = _strange(images, random)
        logits = network(torch.cat([images, strange]))
        unsure = -logits[len(images) :].log_softmax(1).mean()  # cross-entropy with all labels alike
        loss = cross_entropy(logits[: len(images)], part.labels[chosen]) + UNSURE * unsure
        torch.autograd.backward(loss)
        optimizer.step()
        if step * 100 // steps != (step + 1) * 100 // steps:
            report((step + 1) * 100 // steps)
    network.eval()


def _shifted(images: Tensor, random: torch.Generator) -> Tensor:
    """The batch moved by up to two pixels each way, its edge repeated."""
    top, left = torch.randint(2 * SHIFT + 1, (2,), generator=random).tolist()
    height, width = images.shape[2:]
    return pad(images, (SHIFT,) * 4, mode="replicate")[:, :, top : top + height, left : left + width]


def _roughened(images: Tensor, random: torch.Generator) -> Tensor:
    """The batch with some blur, and each image with some noise."""
    blur, noise = torch.rand(1, generator=random), NOISE * torch.rand(len(images), 1, 1, 1, generator=random)
    images = images.lerp(avg_pool2d(pad(images, (1,) * 4, mode="replicate"), 3, 1), blur)
    return (images + noise * torch.randn(images.shape, generator=random)).clamp(-1, 1)


def _strange(images: Tensor, random: torch.Generator) -> Tensor:
    """Images that are none of the data, an eighth as many of each kind: jumbled, and clouds."""
    count, (_, channels, height, width) = max(1, len(images) // 8), images.shape
    rows, columns = _jumbled(height, random), _jumbled(width, random)
    jumbled = images[:count][:, :, rows][:, :, :, columns]
    coarse = 2 ** int(torch.randint(1, 6, (), generator=random))
    cloud = torch.randn(count, channels, min(coarse, height), min(coarse, width), generator=random)
    cloud = interpolate(cloud, size=(height, width), mode="bilinear")
    strength, shade = torch.rand(2, count, 1, 1, 1, generator=random)
    return torch.cat([jumbled, (cloud * strength + 2 * shade - 1).clamp(-1, 1)])


def _jumbled(side: int, random: torch.Generator) -> Tensor:
    """Places along a side, its quarters in another order."""
    quarters = torch.arange(side).tensor_split(4)
    return torch.cat([quarters[place] for place in torch.randperm(4, generator=random).tolist()])


def _accuracy(network: Classifier, part: Items) -> float:
    assert part.labels is not None
    _, probabilities = network.judge(part.gather(torch.arange(len(part))))
    return float((probabilities.argmax(1) == part.labels).double().mean())
