"""InfoGAN: Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel 2016, arXiv:1606.03657, as it is trained on MNIST."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from ganzoo.api import (
    Abilities,
    Architecture,
    Batch,
    DataSpec,
    Progress,
    Update,
    UsageError,
    generator_loss,
    make_loss,
    option,
)


@dataclass(frozen=True)
class InfoGANConfig:
    categories: int = option(10, "values of the categorical code", low=2)
    continuous: int = option(2, "continuous codes, each uniform in [-1, 1]", low=1)
    incompressible: int = option(62, "numbers of z that carry no code", low=0)
    info: float = option(1.0, "weight of the categorical code's mutual information, the paper's lambda", low=0)
    info_continuous: float = option(1.0, "weight of the continuous codes' mutual information", low=0)
    deviation: Literal["fixed", "learned"] = option(
        "fixed", "of Q's Gaussians: fixed is 1, as the authors trained; learned is exp of Q's output, as the paper says"
    )
    loss: str = option("nonsaturating", "adversarial loss, with constants: lsgan:a=-1,c=0")
    lr: float = option(1e-3, "G's learning rate", low=0)
    lr_d: float = option(2e-4, "learning rate of D and Q", low=0)
    beta1: float = option(0.5, "Adam's decay of the mean gradient", low=0, high=0.9999)
    beta2: float = option(0.999, "Adam's decay of the mean squared gradient", low=0, high=0.999999)
    slope: float = option(0.1, "of the leaky rectifiers, below 0", low=0, high=1)
    width: int = option(64, "feature maps of half the image's size; those of a quarter are twice as many", low=1)
    hidden: int = option(1024, "features of the hidden dense layer of G, and of D", low=1)
    hidden_q: int = option(128, "features of Q's hidden layer", low=1)
    batch_size: int = option(128, "images in a step")
    ema: int = option(2_000, "half-life of the averaged generator, in images")
    resolution: int = option(28, "height and width")


class Codes(NamedTuple):
    """What G makes its images from."""

    noise: Tensor  # [B, incompressible], uniform in [-1, 1]
    category: Tensor  # [B] int64, uniform below `categories`
    continuous: Tensor  # [B, continuous], uniform in [-1, 1]


class InfoGAN(Architecture):
    """G makes images from noise and codes, D tells them from real ones, Q reads the codes back from D's features."""

    Config = InfoGANConfig
    modalities = ("image",)
    abilities = Abilities(generate=True, realness=True, codes=True)
    presets: ClassVar = {
        "small": {"width": 16, "hidden": 256, "hidden_q": 64, "lr_d": 1e-3, "batch_size": 32, "ema": 20_000},
        "mnist": {"resolution": 28, "channels": 1},
    }
    preset_summaries: ClassVar = {
        "small": "A quarter of the width, for two CPU cores.",
        "mnist": "28×28 grey, the paper's size.",
    }

    def __init__(self, config: InfoGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        if data.height % 4 or data.width % 4:
            raise UsageError(f"infogan cannot do {data.height}×{data.width}: sides must be multiples of 4, such as 28.")
        if data.domains:
            raise UsageError("infogan learns one set of images, and this data has two; add one of them by itself.")
        self.latent_dim = config.incompressible + config.categories + config.continuous
        self.codes = {"category": config.categories} | {f"c{i + 1}": (-1.0, 1.0) for i in range(config.continuous)}
        self.loss = make_loss(config.loss)
        self.G = generator(self.latent_dim, config, data)
        self.D = Discriminator(config, data)
        self.Q = recogniser(config)
        self.apply(initialise)

    def step(self, batches: Iterator[Batch], progress: Progress) -> Iterator[Update]:
        """Equation 6, min over G and Q, max over D, of V(D, G) - lambda L_I(G, Q).

        Q is the trunk that D owns and the head of its own. So the trunk learns L_I in D's turn, the head in G's, and
        every parameter once.
        """
        real = next(batches).images
        codes = self.codes_of(self.noise(len(real)))
        fake = self.G(self.inputs(codes))

        d_real = self.D(real)
        d_fake, information = self.read(fake.detach(), codes)
        adversarial = self.loss.discriminator(d_real, d_fake)
        watch = {"D(x)": self.mean_score(d_real), "D(G(z))": self.mean_score(d_fake)}
        yield Update("D", {"adversarial": adversarial, **self.information_loss(information)}, watch)

        d_fake, information = self.read(fake, codes)  # D is the updated one by now
        adversarial = generator_loss(self.loss, d_fake, lambda: self.D(real))
        watch = {f"I({name})": nats.detach() for name, nats in information.items()}
        watch["D(G(z)) after"] = self.mean_score(d_fake)
        yield Update(("G", "Q"), {"adversarial": adversarial, **self.information_loss(information)}, watch)

    def read(self, images: Tensor, codes: Codes) -> tuple[Tensor, dict[str, Tensor]]:
        """Images [B, C, H, W] made from `codes` -> D's logits [B], and what they tell of the codes, in nats."""
        features = self.D.trunk(images)
        return self.D.head(features), information(self.Q(features), codes, self.config)

    def information_loss(self, information: dict[str, Tensor]) -> dict[str, Tensor]:
        """Minus lambda L_I, of each kind of code."""
        weights = {"category": self.config.info, "continuous": self.config.info_continuous}
        return {name: -weights[name] * nats for name, nats in information.items()}

    def codes_of(self, z: Tensor) -> Codes:
        """z [B, Z] from N(0, 1) -> what G makes its images from.

        The largest of K equally distributed scores is each of them with probability 1 / K, and N(0, 1)'s distribution
        function makes uniform numbers of Gaussian ones.
        """
        noise, scores, continuous = self.split(z)
        return Codes(uniform(noise), scores.argmax(1), uniform(continuous))

    def inputs(self, codes: Codes) -> Tensor:
        """Codes -> what G takes, [B, Z]."""
        category = one_hot(codes.category, self.config.categories).to(codes.noise.dtype)
        return torch.cat([codes.noise, category, codes.continuous], 1)

    def generate(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """z [B, Z] from N(0, 1) -> images [B, C, H, W] in [-1, 1]. Raises: UsageError for a truncation."""
        if truncation != 1:
            raise UsageError("infogan has no truncation; leave it out.")
        return self.G(self.inputs(self.codes_of(z)))

    def coded(self, z: Tensor, name: str, values: Tensor) -> Tensor:
        """z [B, Z] whose code has these values [B]. A category's score changes places with the largest, so that the
        scores stay as likely as they were.
        """
        noise, scores, continuous = (part.clone() for part in self.split(z))
        if name == "category":
            row, now, then = torch.arange(len(z), device=z.device), scores.argmax(1), values.long().to(z.device)
            scores[row, now], scores[row, then] = scores[row, then].clone(), scores[row, now].clone()
        else:
            limit = 1 - 1e-6  # ends of the range are quantiles at infinity
            share = (values.to(z.device, z.dtype).clamp(-limit, limit) + 1) / 2
            continuous[:, int(name.removeprefix("c")) - 1] = torch.special.ndtri(share)
        return torch.cat([noise, scores, continuous], 1)

    def split(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """z [B, Z] -> what becomes the noise, the category and the continuous codes."""
        noise, scores, continuous = z.tensor_split(
            (self.config.incompressible, self.config.incompressible + self.config.categories), dim=1
        )
        return noise, scores, continuous

    def realness(self, items: Tensor) -> Tensor:
        """Images [B, C, H, W] -> how real each looks to D, as the log shows it: [B]."""
        return self.loss.score(self.D(items))

    def mean_score(self, logits: Tensor) -> Tensor:
        return self.loss.score(logits.detach()).mean()

    def optimizer(self, network: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        rate = self.config.lr if network == "G" else self.config.lr_d
        return torch.optim.Adam(parameters, rate, (self.config.beta1, self.config.beta2))


def uniform(normal: Tensor) -> Tensor:
    """Numbers from N(0, 1) -> as many, uniform in [-1, 1]."""
    return 2 * torch.special.ndtr(normal) - 1


def information(output: Tensor, codes: Codes, config: InfoGANConfig) -> dict[str, Tensor]:
    """The lower bound L_I of the mutual information between codes and images, equation 5, in nats: E log Q(c|x) + H(c).

    Args:
        output: Q's, [B, categories + 2 * continuous]: logits of the category, then mean and log deviation of each
            continuous code.
        codes: that the images were made from.
    Returns: of the category, at most log(categories), and of the continuous codes together.
    """
    logits, mean, log_deviation = torch.split(
        output.float(), [config.categories, config.continuous, config.continuous], dim=1
    )
    category = math.log(config.categories) - cross_entropy(logits, codes.category)
    if config.deviation == "fixed":
        log_deviation = torch.zeros_like(mean)
    errors = (codes.continuous.float() - mean) / log_deviation.exp()
    log_density = -errors.square() / 2 - log_deviation - math.log(2 * math.pi) / 2
    return {"category": category, "continuous": config.continuous * math.log(2) + log_density.sum(1).mean()}


def generator(inputs: int, config: InfoGANConfig, data: DataSpec) -> nn.Module:
    """What G takes, [B, Z] -> images [B, C, H, W] in [-1, 1]. Paper, table 1."""
    width, start = config.width, (2 * config.width, data.height // 4, data.width // 4)
    return nn.Sequential(
        nn.Linear(inputs, config.hidden),
        nn.BatchNorm1d(config.hidden),
        nn.ReLU(),
        nn.Linear(config.hidden, math.prod(start)),
        nn.BatchNorm1d(math.prod(start)),  # of each feature at each place, before they are an image
        nn.ReLU(),
        nn.Unflatten(1, start),  # [B, 2 * width, H / 4, W / 4]
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1),  # [B, width, H / 2, W / 2]
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.ConvTranspose2d(width, data.channels, 4, 2, 1),  # [B, C, H, W]
        nn.Tanh(),
    )


class Discriminator(nn.Module):
    """Images [B, C, H, W] -> logits [B]. Paper, table 1; `trunk` is what D and Q share, [B, hidden].

    Its batch norm goes by the batch in evaluation too, which is real or generated as a whole; running statistics would
    be of both, and fit neither.
    """

    def __init__(self, config: InfoGANConfig, data: DataSpec) -> None:
        super().__init__()
        width, end = config.width, (2 * config.width, data.height // 4, data.width // 4)
        self.trunk = nn.Sequential(
            nn.Conv2d(data.channels, width, 4, 2, 1),  # [B, width, H / 2, W / 2]
            nn.LeakyReLU(config.slope),
            nn.Conv2d(width, 2 * width, 4, 2, 1),  # [B, 2 * width, H / 4, W / 4]
            nn.BatchNorm2d(2 * width, track_running_stats=False),
            nn.LeakyReLU(config.slope),
            nn.Flatten(),
            nn.Linear(math.prod(end), config.hidden),
            nn.BatchNorm1d(config.hidden, track_running_stats=False),
            nn.LeakyReLU(config.slope),
        )
        self.head = nn.Sequential(nn.Linear(config.hidden, 1), nn.Flatten(0))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.trunk(images))


def recogniser(config: InfoGANConfig) -> nn.Module:
    """D's features [B, hidden] -> what Q says of the codes, [B, categories + 2 * continuous]. Paper, table 1."""
    return nn.Sequential(
        nn.Linear(config.hidden, config.hidden_q),
        nn.BatchNorm1d(config.hidden_q, track_running_stats=False),
        nn.LeakyReLU(config.slope),
        nn.Linear(config.hidden_q, config.categories + 2 * config.continuous),
    )


def initialise(module: nn.Module) -> None:
    """As DCGAN does, whose techniques the paper takes over: weights from N(0, 0.02), biases 0."""
    if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(cast(Any, module.bias))
