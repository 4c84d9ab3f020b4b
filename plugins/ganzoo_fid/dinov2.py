"""DINOv2's vision transformer (Oquab et al. 2024, arXiv:2304.07193), built to fit a file of its authors' weights.

Its class token is what a Fréchet distance in DINOv2's features is of (Stein et al. 2023, arXiv:2306.04675).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, scaled_dot_product_attention

from ganzoo.api import GanzooError, Pretrained, Report, need, pretrained_tensors
from ganzoo_fid.extractor import Extractor, clean, name_of, pixels, whole_path

SIDE = 224
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours in [0, 1]
HEAD = 64  # features of an attention head, in each of the four published sizes
OFFSET = 0.1  # added to the new side of the positions' grid by the authors' code, and so part of the network
EPSILON = 1e-6


class Scale(nn.Module):
    """A learned scale for each feature (Touvron et al. 2021)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(2, (3, -1, HEAD)).permute(2, 0, 3, 1, 4)
        return self.proj(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Dense(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.attn, self.ls1 = nn.LayerNorm(width, EPSILON), Attention(width), Scale(width)
        self.norm2, self.mlp, self.ls2 = nn.LayerNorm(width, EPSILON), Dense(width), Scale(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class DINOv2(nn.Module):
    """Images [B, 3, H, W], standardised as ImageNet's, whose sides are multiples of 14 -> the class token [B, width].

    Args:
        side: of the grid of patches that the positions were learned on, 37 of the published ones.
    """

    def __init__(self, width: int, depth: int, patch: int, side: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))  # of its training alone
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + side * side, width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, patch, patch)})
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width, EPSILON)
        self.side = side

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> DINOv2:
        """With these weights. Raises: KeyError, RuntimeError, ValueError when they are of another layout."""
        width, patch = tensors["patch_embed.proj.weight"].shape[0], tensors["patch_embed.proj.weight"].shape[-1]
        depth = len({name.split(".")[1] for name in tensors if name.startswith("blocks.")})
        if width % HEAD:
            raise ValueError(f"{width} features are not those of heads of {HEAD}")
        network = cls(width, depth, patch, math.isqrt(tensors["pos_embed"].shape[1] - 1))
        network.load_state_dict(dict(tensors))
        return network.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        grid = self.patch_embed["proj"](images)
        x = torch.cat([self.cls_token.expand(len(grid), -1, -1), grid.flatten(2).transpose(1, 2)], 1)
        x = x + self.positions(grid.shape[2], grid.shape[3])
        for block in self.blocks:
            x = block(x)
        return self.norm(x[:, 0])

    def positions(self, height: int, width: int) -> Tensor:
        """Those of a grid of another size, [1, 1 + height * width, width]."""
        if (height, width) == (self.side, self.side):
            return self.pos_embed
        learned = self.pos_embed[:, 1:].transpose(1, 2).reshape(1, -1, self.side, self.side)
        scale = ((height + OFFSET) / self.side, (width + OFFSET) / self.side)
        there = interpolate(learned, scale_factor=scale, mode="bicubic")
        return torch.cat([self.pos_embed[:, :1], there.flatten(2).transpose(1, 2)], 1)


class DINOv2Features(Extractor):
    """The class token; there are no logits."""

    @torch.no_grad()
    def __call__(self, images: Tensor, resize: str) -> tuple[Tensor, Tensor]:
        shown = pixels(images)
        if resize == "clean":
            shown = clean(shown, SIDE)
        else:
            fidelity = need("torch_fidelity.interpolate_compat_tensorflow", "torch-fidelity", "--metric fid", "fid")
            shown = fidelity.interpolate_bilinear_2d_like_tensorflow1x(shown, (SIDE, SIDE), align_corners=False)
        mean, spread = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, SPREAD))
        features = self.network(((shown / 255 - mean) / spread).to(self.device)).float().cpu()
        return features, features[:, :0]


def dinov2(file: str, report: Report) -> DINOv2Features:
    """With the weights of a file. Raises: UsageError when there is none, GanzooError when they do not fit."""
    return _dinov2(*whole_path(file, "DINOv2"), report)


@cache
def _dinov2(file: str, _changed: float, report: Report) -> DINOv2Features:
    name = name_of(file)
    tensors, sha256 = pretrained_tensors(Pretrained(name, "", "", "Apache-2.0"), file, report)
    try:
        network = DINOv2.of(tensors)
    except (KeyError, IndexError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise GanzooError(f"{Path(file).name} has no weights of a DINOv2 without registers: {reason}") from error
    return DINOv2Features(name, False, sha256, network.to("cuda" if torch.cuda.is_available() else "cpu"))
