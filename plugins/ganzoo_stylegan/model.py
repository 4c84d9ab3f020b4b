"""A style-based generator: Karras, Laine and Aila 2019, arXiv:1812.04948. Networks are in `generator.py`."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from ganzoo_progan.growing import Growing, GrowingConfig, GrowingDiscriminator, feature_maps
from torch import Tensor

from ganzoo.api import Abilities, DataSpec, Foreign, Imported, UsageError, option
from ganzoo_stylegan.generator import Generator


@dataclass(frozen=True)
class StyleGANConfig(GrowingConfig):
    """The paper's steps from A, progressive growing alone, to F, all of this, are the presets."""

    loss: str = "nonsaturating"
    penalty: str = option("r1:gamma=10,at=1024", "penalties on D, joined by +: wgan-gp:weight=10+drift")
    start: int = 8
    blur: bool = option(True, "B: enlarge and halve with a binomial filter")
    styles: bool = option(True, "C: map z to styles w, which scale and shift the features of each layer (AdaIN)")
    mapping_layers: int = option(8, "C: dense layers of the mapping", low=1)
    mapping_rate: float = option(0.01, "C: multiplier of the mapping's learning rate", low=1e-6)
    constant: bool = option(True, "D: begin with a learned constant instead of the latent")
    noise: bool = option(True, "E: noise at each layer, with a learned strength for each map")
    mixing: float = option(0.9, "F: probability that an image in training has styles of two latents", low=0, high=1)
    mean_decay: float = option(0.995, "decay of the running mean of w, for truncation", low=0, high=1)
    lr_factors: tuple[float, ...] = (1, 1, 1, 1, 1, 1.5, 2, 3)  # of the authors' code, from 4×4 on
    truncation_layers: int = option(8, "layers from the first on that truncation reaches", low=0)


A: dict[str, Any] = {
    "blur": False, "styles": False, "constant": False, "noise": False, "mixing": 0.0, "start": 4,
    "loss": "wasserstein", "penalty": "wgan-gp+drift",
}  # fmt: skip
PAPER: dict[str, Any] = {"penalty": "r1:gamma=10"}  # at any size
B: dict[str, Any] = {**PAPER, "styles": False, "constant": False, "noise": False, "mixing": 0.0}
C: dict[str, Any] = {**PAPER, "constant": False, "noise": False, "mixing": 0.0}
OFFICIAL: dict[str, Any] = {**PAPER, "resolution": 1024, "phase_images": 600_000, "flip": True}
# At the rates made for millions of images a short run shows one digit or two; at these it shows most. Digits need all
# of R1's weight, faces (`small-64`) a thirtieth: with more, D cannot tell them from G's.
SMALL: dict[str, Any] = {
    "fmap_max": 64, "latent_dim": 128, "batch_size": 16, "lr": 1e-2, "mapping_rate": 0.1, "lr_factors": (),
}  # fmt: skip


class StyleGAN(Growing):
    """Latents z are mapped to styles w, and each layer of the synthesis takes its own: `mapping` and `synthesis`."""

    Config = StyleGANConfig
    abilities = Abilities(generate=True, truncation=True, mix=True, styles=True, realness=True)
    G: Generator
    any_turn: ClassVar = {**Growing.any_turn, "G.w_mean": "the mean of w follows every image that is made in training"}
    idle: ClassVar = {
        "phase_images": "the smallest images on the card are those that G begins with",
        "grown_at": "likewise: nothing grows in the small model",
    }
    untrained: ClassVar = {
        "G.to_rgb.0.": "growing begins at 8×8; the released networks have the layer too",
        "D.from_rgb.0.": "likewise",
    }
    presets: ClassVar = {
        "small": {**SMALL, **PAPER, "fmap_base": 256, "resolution": 32, "epochs": 30},
        "small-64": {
            **SMALL, "fmap_base": 512, "resolution": 64, "lr": 3e-3, "penalty": "r1:gamma=0.3,at=64", "grown_at": 0.3,
            "ema": 20_000, "epochs": 20,
        },
        "A": A,
        "B": B,
        "C": C,
        "D": {**PAPER, "noise": False, "mixing": 0.0},
        "E": {**PAPER, "mixing": 0.0},
        "F": PAPER,
        "official-1gpu": {**OFFICIAL, "batch_size": 128, "batch_sizes": (128, 128, 128, 64, 32, 16, 8, 4)},
        "official-8gpu": {**OFFICIAL, "batch_size": 512, "batch_sizes": (512, 256, 128, 64, 32)},
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "32×32 and few maps: under an hour on two CPU cores.",
        "small-64": "64×64 and few maps: the settings of its best faces, an hour of a CPU core.",
        "A": "The paper's step A: progressive growing alone, with ProGAN's loss.",
        "B": "The paper's step B: tuned, with blur and the non-saturating loss.",
        "C": "The paper's step C: adds the mapping network and styles.",
        "D": "The paper's step D: begins with a learned constant in place of z.",
        "E": "The paper's step E: adds noise.",
        "F": "The paper's step F: adds style mixing; without a preset it is the same, but R1 follows the size.",
        "official-1gpu": "1024×1024, the released run for one GPU.",
        "official-8gpu": "1024×1024, the released run for eight GPUs.",
    }

    def __init__(self, config: StyleGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        if not config.styles and (config.constant or config.mixing):
            raise UsageError(
                "Without --styles there is nothing to steer a constant or to mix; see the presets A and B."
            )
        maps = feature_maps(data.height, config.fmap_base, config.fmap_max)
        hidden = min(config.fmap_base, config.fmap_max)
        self.G = Generator(
            data.height, config.latent_dim, maps, data.channels, config.blur, config.styles, config.constant,
            config.noise, config.mapping_layers, config.mapping_rate,
        )  # fmt: skip
        self.D = GrowingDiscriminator(data.height, maps, hidden, data.channels, config.group, config.blur)

    @staticmethod
    def imported(foreign: Foreign) -> Imported:
        """A model of the authors' pickles."""
        from ganzoo_stylegan.official import imported

        return imported(foreign)

    def generate(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Images [B, C, H, W] from z [B, Z]; styles are mixed at random while training, and never truncated there."""
        w = self.mapping(z)
        if self.training:
            self.G.follow_mean(w, self.config.mean_decay)
            return self.synthesis(self.mixed(w))
        return self.synthesis(self.truncated(w, truncation))

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """z [B, Z] -> w [B, Z]; without styles only normalised."""
        w: Tensor = self.G.mapping(z)
        return w

    def synthesis(self, w: Tensor) -> Tensor:
        """w [B, Z], or one for each layer [B, layers, Z] -> images [B, C, H, W]."""
        return self.G.synthesis(w)

    def truncated(self, w: Tensor, psi: float) -> Tensor:
        """w [B, Z] -> [B, layers, Z], in the first layers drawn to the mean of w: mean + psi * (w - mean).

        Raises: UsageError when psi is not 1 and there are no styles.
        """
        layers = self.G.layers_now
        if psi == 1.0:
            return w[:, None].expand(-1, layers, -1)
        self.need_styles("truncate")
        near = self.G.w_mean.lerp(w.to(self.G.w_mean.dtype), psi)
        reached = torch.arange(layers, device=w.device)[:, None] < self.config.truncation_layers
        return torch.where(reached, near[:, None], w[:, None])

    def mixed(self, w: Tensor) -> Tensor:
        """Mixing regularization: now and then the layers from a random one on take styles of other latents."""
        if random.random() >= self.config.mixing:
            return w
        cutoff = random.randrange(1, self.G.layers_now)  # one for the whole batch, in every process
        return self.joined(w, self.mapping(self.noise(len(w))), cutoff)

    def mix(
        self,
        coarse: Tensor,
        fine: Tensor,
        cutoff: int | None = None,
        truncation: float = 1.0,
        label: Tensor | None = None,
    ) -> Tensor:
        """Images [B, C, H, W] whose first `cutoff` layers take the styles of `coarse` [B, Z], the others of `fine`."""
        self.need_styles("mix")
        layers = self.G.layers_now
        if cutoff is None:
            cutoff = min(4, layers // 2)  # up to 8×8, what the paper calls coarse
        if not 1 <= cutoff < layers:
            raise UsageError(f"A cut-off of {cutoff} leaves nothing to mix; it takes 1 to {layers - 1} here.")
        first, last = (self.truncated(self.mapping(z), truncation) for z in (coarse, fine))
        return self.synthesis(torch.cat([first[:, :cutoff], last[:, cutoff:]], 1))

    def joined(self, first: Tensor, last: Tensor, cutoff: int) -> Tensor:
        """w [B, Z] twice -> [B, layers, Z], the first `cutoff` layers' from `first`."""
        of_first = torch.arange(self.G.layers_now, device=first.device)[:, None] < cutoff
        return torch.where(of_first, first[:, None], last[:, None])

    def need_styles(self, what: str) -> None:
        if not self.config.styles:
            raise UsageError(f"This StyleGAN was made without styles, so there is nothing to {what}.")
