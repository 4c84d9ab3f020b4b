"""VGAN: Vondrick, Pirsiavash and Torralba 2016, arXiv:1609.02612. Letters in shapes: B batch, T frames, Z latents."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from torch import Tensor, nn

from ganzoo.api import DataSpec, TwoPlayer, TwoPlayerConfig, Update, UsageError, generator_loss, normal_init, option


@dataclass(frozen=True)
class VGANConfig(TwoPlayerConfig):
    width: int = option(64, "feature maps at half the size; doubled at each half below", low=1)
    sparsity: float = option(0.1, "weight of the mask's mean in G's loss, so that little moves", low=0)


class VGAN(TwoPlayer):
    """G lays what moves over a background that stands still, by a mask; D sees all frames at once."""

    Config = VGANConfig
    modalities = ("clip",)
    fresh_fakes = True
    G: "Generator"
    presets: ClassVar = {
        "small": {"width": 16, "lr": 1e-3, "penalty": "r1:gamma=1,every=4", "batch_size": 16}, "paper": {},
    }  # fmt: skip
    preset_summaries: ClassVar = {
        "small": "A quarter of the width with R1 and five times the rate, for 16 frames of 32×32 on a CPU.",
        "paper": "The paper's networks, for 32 frames of 64×64, which is what no preset gives too.",
    }

    def __init__(self, config: VGANConfig, data: DataSpec) -> None:
        """Raises: UsageError for frames or sides that do not halve so often."""
        super().__init__(config, data)
        frames, channels, height, width = data.shape
        layers = min(height, width).bit_length() - 3
        if layers < 1 or any(each % (1 << layers) for each in (frames, height, width)):
            raise UsageError(
                f"vgan halves frames and sides till a side is 4 to 7, which {frames} frames of {height}×{width} do not "
                "allow; add the data again with --as clip:frames=16,side=32 (or frames=32,side=64), or where ganzoo "
                "draws the clips write bouncing:frames=16,side=32."
            )
        start = (frames >> layers, height >> layers, width >> layers)  # 2×4×4 of 32×64×64
        maps = [config.width << i for i in range(layers)]  # 64, 128, 256, 512 for 64×64
        self.G = Generator([config.latent_dim, *reversed(maps)], start, channels)
        self.D = Discriminator([channels, *maps], start)
        self.apply(normal_init)

    def generator_turn(self, real: Tensor, fake: Tensor, label: Tensor | None) -> Iterator[Update]:
        """G's turn, on clips of its own, whose mask is kept small."""
        clips, mask = self.G.masked(self.noise(len(real)))
        d_fake = self.discriminate(clips)
        loss = generator_loss(self.loss, d_fake, lambda: self.discriminate(real))
        terms = {"adversarial": loss, "mask": self.config.sparsity * mask.float().mean()}
        yield Update("G", terms, {"D(G(z)) after": self.mean_score(d_fake), "moving": mask.detach().mean()})


class Generator(nn.Module):
    """z [B, Z] -> clips [B, T, C, H, W] in [-1, 1]."""

    def __init__(self, maps: list[int], start: Any, channels: int) -> None:
        super().__init__()
        self.moving = doubling(nn.ConvTranspose3d, nn.BatchNorm3d, [*maps, channels + 1], start)
        self.still = doubling(nn.ConvTranspose2d, nn.BatchNorm2d, [*maps, channels], start[1:])

    def masked(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Clips, and how far each place shows what moves, [B, 1, T, H, W] in [0, 1]."""
        moving, still = self.moving(z[:, :, None, None, None]), self.still(z[:, :, None, None])
        foreground, mask = moving[:, :-1].tanh(), moving[:, -1:].sigmoid()  # [B, C, T, H, W]
        return (mask * foreground + (1 - mask) * still.tanh()[:, :, None]).transpose(1, 2), mask

    def forward(self, z: Tensor) -> Tensor:
        return self.masked(z)[0]


def doubling(transposed: type[nn.Module], normalise: type[nn.Module], maps: list[int], start: Any) -> nn.Module:
    """From z as one pixel, [B, maps[0], 1, …], to `start`, and in doubled sides to maps[-1] feature maps."""
    blocks = [transposed(maps[0], maps[1], start)]
    for before, after in pairwise(maps[1:]):
        blocks += [normalise(before), nn.ReLU(), transposed(before, after, 4, 2, 1)]
    return nn.Sequential(*blocks)


class Discriminator(nn.Sequential):
    """clips [B, T, C, H, W] -> logits [B]; the sigmoid is the loss's."""

    def __init__(self, maps: list[int], start: Any) -> None:
        blocks: list[nn.Module] = [nn.Conv3d(maps[0], maps[1], 4, 2, 1), nn.LeakyReLU(0.2)]
        for before, after in pairwise(maps[1:]):
            blocks += [nn.Conv3d(before, after, 4, 2, 1), nn.BatchNorm3d(after, 1e-3), nn.LeakyReLU(0.2)]
        super().__init__(*blocks, nn.Conv3d(maps[-1], 1, start))
        self.last_layer = str(len(blocks))

    def forward(self, clips: Tensor) -> Tensor:
        return super().forward(clips.transpose(1, 2)).flatten()  # type: ignore[no-untyped-call]
