"""StarGAN: Choi, Choi, Kim, Ha, Kim and Choo 2018, arXiv:1711.09020, as its authors' code sizes it.

Letters in shapes: B batch, C channels, H height, W width, M feature maps, K domains, classes or attributes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, l1_loss, one_hot

from ganzoo.api import (
    Abilities,
    Adversarial,
    Batch,
    DataSpec,
    Progress,
    TwoDomainsConfig,
    Update,
    UsageError,
    generator_loss,
    linear_decay,
    option,
    rows,
)

DECAYS = 200  # times that the published schedule, 200,000 turns of D, sets the learning rate


@dataclass(frozen=True)
class StarGANConfig(TwoDomainsConfig):
    loss: str = "wasserstein"
    penalty: str = "wgan-gp:weight=10"
    classes: float = option(1.0, "weight of telling domains, classes or attributes", low=0)
    reconstruction: float = option(10.0, "weight of the distance from the image once it was translated back", low=0)
    n_critic: int = option(5, "turns of D before each turn of G", low=1)
    blocks: int = option(6, "residual blocks of G", low=0)
    width_g: int = option(64, "G's feature maps at full size", low=1)
    width_d: int = option(64, "D's feature maps after its first layer; doubled at each", low=1)
    layers_d: int = option(6, "D's layers that halve the image, at the most", low=1)
    decay: float = option(0.5, "last share of the training over which the rate falls linearly to 0", low=0, high=1)
    lr: float = 1e-4
    batch_size: int = option(16, "images in a step, of all domains together")
    resolution: int = option(128, "height and width")
    flip: bool = option(True, "mirror images at random")


class StarGAN(Adversarial):
    """G is told what to make of an image, D judges patches and says what the image is of.

    What it is told are codes [B, K]: one of the data's domains or classes, or 0 and 1 for each attribute.
    """

    Config = StarGANConfig
    other_calls: ClassVar = {"G": "is told the target's labels with the image"}
    abilities = Abilities(translate=True, domains=0)
    modalities = ("image",)
    presets: ClassVar = {
        "paper": {"images": 3_200_000},
        "small": {
            "resolution": 64, "blocks": 3, "width_g": 16, "width_d": 24, "layers_d": 5, "n_critic": 2, "lr": 5e-4,
            "images": 60_000,
        },
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "paper": "The paper's length, 200,000 steps of 16 images.",
        "small": "64×64, three blocks and narrow networks, for two CPU cores.",
    }
    side_multiple = 4
    smallest_side = 8

    def __init__(self, config: StarGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.attributes = not data.domains and data.label == "attributes"
        kinds = data.domains or (data.label_names if self.attributes else data.classes)
        if len(kinds) < (1 if self.attributes else 2):
            raise UsageError(
                "StarGAN translates between domains, or to other classes or attributes, and this data set has "
                f"{'only ' + kinds[0] if kinds else 'none'}; try anime with --domains black,blond,pink."
            )
        if data.height % 4 or data.width % 4:
            raise UsageError(f"StarGAN cannot do {data.height}×{data.width}: sides must be multiples of 4.")
        if not data.domains:
            self.abilities = replace(self.abilities, labels=frozenset({data.label}))
        self.kinds = len(kinds)
        self.G = Generator(config.width_g, config.blocks, data.channels, self.kinds)
        layers = min(config.layers_d, *(halvings(side) for side in (data.height, data.width)))
        core = (data.height >> layers, data.width >> layers)
        self.D = Discriminator(config.width_d, layers, data.channels, self.kinds, core)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        config, n_critic = self.config, self.config.n_critic
        for turn in range(n_critic):
            images, label = self.known(next(batches))
            target = self.wanted(label)
            with torch.set_grad_enabled(turn == n_critic - 1):  # G learns from the last fakes only
                fake = self.G(images, self.label_codes(target))
            made = fake.detach()
            d_real, said = self.D(self.augment(images))
            d_fake, _ = self.D(self.augment(made))
            terms = {"adversarial": self.loss.discriminator(d_real, d_fake)}
            terms["classes"] = config.classes * self.wrong(said, label)
            terms |= self.penalties.terms(self.patches, images, made, d_real, d_fake)
            self.augment.observe(d_real)
            watch = {"D(x)": self.mean_score(d_real), "D(G(z))": self.mean_score(d_fake)}
            yield Update("D", terms, watch | self.augment.watch())
            count = progress.step * n_critic + turn
            yield from self.penalties.lazy_turn(count, "D", {"": (self.patches, images, made)})

        d_fake, said = self.D(self.augment(fake))
        back = self.G(fake, self.label_codes(label))
        terms = {
            "adversarial": generator_loss(self.loss, d_fake, lambda: self.patches(images)),
            "classes": config.classes * self.wrong(said, target),
            "reconstruction": config.reconstruction * l1_loss(back.float(), images),
        }
        yield Update("G", terms, {"D(G(z)) after": self.mean_score(d_fake)})

    def known(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Images [B, C, H, W] and what they are of: each row of a domain at random, or the data's labels."""
        if not self.data.domains:
            assert batch.label is not None
            return batch.images, batch.label
        each = torch.stack([batch.domains[name] for name in self.data.domains])  # [K, B, C, H, W]
        label = (self.kinds * rows((each.shape[1],), torch.rand, self.device)).long().clamp(max=self.kinds - 1)
        return each[label, torch.arange(len(label), device=label.device)], label

    def wanted(self, label: Tensor) -> Tensor:
        """What G is to make of the images: the batch's own labels in another order, as often what it is already."""
        return label[rows((len(label),), torch.rand, self.device).argsort()]

    def label_codes(self, label: Tensor) -> Tensor:
        """Positions [B] as one of many, attributes [B, K] as they are: [B, K]."""
        return label.float() if self.attributes else one_hot(label, self.kinds).float()

    def wrong(self, said: Tensor, label: Tensor) -> Tensor:
        """Equations 2 and 3: the cross entropy of what D says, [B, K], summed over attributes, a scalar."""
        if not self.attributes:
            return cross_entropy(said.float(), label)
        return binary_cross_entropy_with_logits(said.float(), label.float(), reduction="sum") / len(label)

    def patches(self, images: Tensor) -> Tensor:
        """D's logits of patches, [B, 1, h, w], on augmented images."""
        return self.D(self.augment(images))[0]

    def translate(self, images: Tensor, to: str | Tensor) -> Tensor:
        """To a domain by its name, or to labels as `Batch.label` has them."""
        if isinstance(to, str):
            place = self.data.domains.index(to)
            to = torch.full((images.shape[0],), place, device=images.device)
        return self.G(images, self.label_codes(to))

    def learning_rate(self, progress: Progress, network: str) -> float:
        return linear_decay(progress, DECAYS, self.config.decay)


class Generator(nn.Module):
    """images [B, C, H, W] in [-1, 1] and codes [B, K] -> images [B, C, H, W]; any sides that are multiples of 4."""

    def __init__(self, width: int, blocks: int, channels: int, kinds: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels + kinds, width, 7, 1, 3, bias=False), *normalise(width)]
        for maps in (width, 2 * width):
            layers += [nn.Conv2d(maps, 2 * maps, 4, 2, 1, bias=False), *normalise(2 * maps)]
        layers += [Residual(4 * width) for _ in range(blocks)]  # [B, 4 * width, H / 4, W / 4]
        for maps in (2 * width, width):
            layers += [nn.ConvTranspose2d(2 * maps, maps, 4, 2, 1, bias=False), *normalise(maps)]
        self.main = nn.Sequential(*layers, nn.Conv2d(width, channels, 7, 1, 3, bias=False), nn.Tanh())

    def forward(self, images: Tensor, codes: Tensor) -> Tensor:
        maps = codes.to(images.dtype)[:, :, None, None].expand(-1, -1, images.shape[2], images.shape[3])
        return self.main(torch.cat([images, maps], 1))


class Residual(nn.Module):
    """x [B, M, H, W] plus what two convolutions make of it; nothing after the sum."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        first = (nn.Conv2d(maps, maps, 3, 1, 1, bias=False), *normalise(maps))
        second = (nn.Conv2d(maps, maps, 3, 1, 1, bias=False), nn.InstanceNorm2d(maps, affine=True))
        self.main = nn.Sequential(*first, *second)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.main(x)


class Discriminator(nn.Module):
    """images [B, C, H, W] -> logits of patches [B, 1, h, w], and of what the image is of, [B, K]; h, w are `core`."""

    def __init__(self, width: int, layers: int, channels: int, kinds: int, core: tuple[int, int]) -> None:
        super().__init__()
        stack: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.01)]
        for layer in range(1, layers):
            stack += [nn.Conv2d(width << (layer - 1), width << layer, 4, 2, 1), nn.LeakyReLU(0.01)]
        self.main = nn.Sequential(*stack)
        self.conv1 = nn.Conv2d(width << (layers - 1), 1, 3, 1, 1, bias=False)
        self.conv2 = nn.Conv2d(width << (layers - 1), kinds, core, bias=False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.main(images)
        return self.conv1(features), self.conv2(features).flatten(1)


def normalise(maps: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(maps, affine=True), nn.ReLU()


def halvings(side: int) -> int:
    """How often a side can be halved."""
    return (side & -side).bit_length() - 1
