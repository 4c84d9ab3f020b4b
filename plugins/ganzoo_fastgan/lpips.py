"""LPIPS: how unlike two images look (Zhang et al. 2018, arXiv:1801.03924), by VGG16, whose weights users give."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganzoo.api import Frozen, Pretrained

# The state dict of `lpips.LPIPS(net="vgg")` of the package lpips 0.1, as torch writes it.
WEIGHTS = Pretrained(name="lpips-vgg", address="", sha256="", licence="BSD-2-Clause AND CC-BY-4.0")
MAPS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def lpips() -> Frozen:
    """A distance of images [B, C, H, W], in [-1, 1], two by two: [B]."""
    return Frozen(WEIGHTS, Lpips)


class Lpips(nn.Module):
    """Features of five depths, each pixel's of length 1; their squared differences are weighted and averaged."""

    def __init__(self) -> None:
        super().__init__()
        self.scaling_layer = Scaling()
        self.net = nn.Module()
        index, before = 0, 3
        for depth, maps in enumerate(MAPS):
            slice_ = nn.Sequential()
            if depth:
                slice_.add_module(str(index), nn.MaxPool2d(2))
                index += 1
            for after in maps:
                slice_.add_module(str(index), nn.Conv2d(before, after, 3, padding=1))
                slice_.add_module(str(index + 1), nn.ReLU())
                index, before = index + 2, after
            self.net.add_module(f"slice{depth + 1}", slice_)
        self.lins = nn.ModuleList(Linear(maps[-1]) for maps in MAPS)
        for depth, lin in enumerate(self.lins):
            self.add_module(f"lin{depth}", lin)  # the package has them by both names

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        total = torch.zeros((), device=a.device)
        a, b = (self.scaling_layer(x.float().expand(-1, 3, -1, -1)) for x in (a, b))
        for slice_, lin in zip(self.net.children(), self.lins, strict=True):
            a, b = slice_(a), slice_(b)
            total = total + lin((unit(a) - unit(b)).square()).mean((1, 2, 3))
        return total


class Scaling(nn.Module):
    """From [-1, 1] to what VGG was trained on."""

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188])[None, :, None, None])
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450])[None, :, None, None])

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.shift) / self.scale


class Linear(nn.Module):
    """[B, C, H, W] -> [B, 1, H, W], a weight for each map."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Dropout(), nn.Conv2d(maps, 1, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.model(x)
        return found


def unit(x: Tensor) -> Tensor:
    """Each pixel's features over their length."""
    length: Tensor = torch.linalg.vector_norm(x, dim=1, keepdim=True)  # whose slope at 0 is 0
    return x / (length + 1e-10)
