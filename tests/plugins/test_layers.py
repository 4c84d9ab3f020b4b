"""Layers of growing and style-based GANs, beside numbers of the references.

The numbers are what NVlabs/stylegan@1e0d5c7 and tkarras/progressive_growing_of_gans@2504c3f compute.
"""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d, conv2d, interpolate

from ganzoo.api import (
    Blur,
    EqualizedConv2d,
    EqualizedLinear,
    MinibatchStddev,
    PixelNorm,
    downsample,
    fade,
    upsample,
)

WAVES = torch.sin(0.37 * torch.arange(96, dtype=torch.float32)).reshape(8, 3, 2, 2)
RAMP = torch.arange(16, dtype=torch.float32).reshape(1, 1, 4, 4)


def added(x: torch.Tensor, group: int) -> torch.Tensor:
    """The numbers [B] that the minibatch's standard deviation adds, the same at each pixel."""
    out = MinibatchStddev(group)(x)
    assert torch.equal(out[:, :-1], x)
    assert torch.equal(out[:, -1], out[:, -1, :1, :1].expand(-1, *x.shape[2:]))
    return out[:, -1, 0, 0]


def test_stddev_groups_are_strided():
    expected = torch.tensor([0.6495727300643921, 0.6901678442955017] * 4)
    assert torch.allclose(added(WAVES, 4), expected, atol=2e-7)


def test_stddev_of_the_whole_batch():
    assert torch.allclose(added(WAVES, 8), torch.full((8,), 0.6941442489624023), atol=2e-7)
    assert torch.equal(added(WAVES, 64), added(WAVES, 8))


@pytest.mark.parametrize(("batch", "used"), [(6, 3), (7, 1), (3, 3), (2, 2), (1, 1)])
def test_stddev_takes_the_largest_divisor(batch, used):
    assert torch.equal(added(WAVES[:batch], 4), added(WAVES[:batch], used))


def test_stddev_works_in_float32():
    x = (1000 + WAVES).to(torch.bfloat16)
    out = MinibatchStddev(4)(x)
    assert out.dtype is torch.bfloat16
    assert torch.equal(out[:, -1, 0, 0], added(x.float(), 4).to(torch.bfloat16))


def test_pixel_norm():
    expected = torch.tensor([0.0, 1.7042549848556519, 0.30905506014823914])
    assert torch.allclose(PixelNorm()(WAVES)[0, :, 0, 0], expected, atol=2e-7)
    assert torch.allclose(PixelNorm()(WAVES[:, :, 0, 0]), PixelNorm()(WAVES)[:, :, 0, 0])


def test_blur():
    expected = torch.tensor([
        [0.9375, 1.75, 2.5, 2.25], [3.25, 5.0, 6.0, 5.0], [6.25, 9.0, 10.0, 8.0], [6.1875, 8.75, 9.5, 7.5],
    ])  # fmt: skip
    assert torch.equal(Blur()(RAMP)[0, 0], expected)
    two = torch.cat([RAMP, 2 * RAMP], 1)
    assert torch.equal(Blur()(two)[0, 1], 2 * expected)
    assert not Blur().state_dict()


def test_up_then_blur():
    first = torch.tensor([0.0, 0.1875, 0.5625, 0.9375, 1.3125, 1.6875, 2.0625, 1.6875])
    last = torch.tensor([6.75, 9.1875, 9.5625, 9.9375, 10.3125, 10.6875, 11.0625, 8.4375])
    out = Blur()(upsample(RAMP))[0, 0]
    assert torch.allclose(out[0], first)
    assert torch.allclose(out[-1], last)


def test_up_and_down():
    up = upsample(RAMP, 4)
    assert up.shape == (1, 1, 16, 16)
    assert torch.equal(up[0, 0, :4, 4:8], torch.ones(4, 4))
    assert torch.equal(downsample(up, 4), RAMP)
    assert torch.equal(downsample(RAMP)[0, 0], torch.tensor([[2.5, 4.5], [10.5, 12.5]]))
    assert upsample(RAMP, 1) is RAMP


def test_fade():
    assert torch.equal(fade(RAMP, -RAMP, 0.0), RAMP)
    assert torch.equal(fade(RAMP, -RAMP, 1.0), -RAMP)
    assert torch.allclose(fade(RAMP, -RAMP, 0.3), 0.4 * RAMP)


@pytest.mark.parametrize("kernel", [1, 3])
def test_equalized_convolution(kernel):
    torch.manual_seed(0)
    layer = EqualizedConv2d(64, 128, kernel)
    assert layer.weight.std().item() == pytest.approx(1, abs=0.02)
    assert layer.bias.abs().max() == 0
    out = layer(torch.randn(4, 64, 16, 16))[:, :, 1:-1, 1:-1]
    assert out.shape == (4, 128, 14, 14)
    assert out.std().item() == pytest.approx(2**0.5, rel=0.05)
    assert EqualizedConv2d(64, 128, kernel, bias=False, gain=1).scale == pytest.approx(1 / (8 * kernel))


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_resampling_convolutions_are_what_they_stand_for(memory):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 8).contiguous(memory_format=memory).requires_grad_()
    for resample in ("up", "down"):
        layer = EqualizedConv2d(3, 5, 3, resample=resample)
        torch.nn.init.normal_(layer.bias)
        weight = layer.weight * layer.scale
        if resample == "up":
            plain = conv2d(interpolate(x, scale_factor=2.0), weight, layer.bias, padding=1)
        else:
            plain = avg_pool2d(conv2d(x, weight, padding=1), 2) + layer.bias[:, None, None]
        out = layer(x)
        assert torch.allclose(out, plain, atol=1e-5)
        probe = torch.randn_like(out)
        for ours, theirs in zip(
            torch.autograd.grad((out * probe).sum(), (x, layer.weight)),
            torch.autograd.grad((plain * probe).sum(), (x, layer.weight)),
            strict=True,
        ):
            assert torch.allclose(ours, theirs, atol=1e-4)


def test_rate_of_a_dense_layer():
    """A lower rate changes how fast a layer learns, not where it begins."""
    outputs, moves = [], []
    for rate in (1.0, 0.01):
        torch.manual_seed(0)
        layer = EqualizedLinear(16, 8, rate=rate)
        x = torch.ones(1, 16)
        outputs.append(layer(x))
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter += 1
        moves.append(layer(x) - outputs[-1])
    assert torch.allclose(*outputs)
    assert torch.allclose(0.01 * moves[0], moves[1], atol=1e-6)
    assert EqualizedLinear(16, 8, bias=False).bias is None
