"""The image pool: what the reference does with the same draws, its statistics, its copies on other processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from ganzoo_translation import image_pool

from ganzoo.api import ImagePool

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "image_pool.json").read_text(encoding="utf-8"))


def numbered(numbers: list[int]) -> torch.Tensor:
    """Images [N, 1, 2, 2] that say which they are."""
    return torch.tensor(numbers, dtype=torch.float32)[:, None, None, None].expand(-1, 1, 2, 2)


def numbers(images: torch.Tensor) -> list[int]:
    return images[:, 0, 0, 0].int().tolist()


def as_given(row: dict, stored: int, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The draws that the reference consumed, one coin and one place an image."""
    draws = iter(row["draws"])
    coins, places = [], []
    for position in range(len(row["given"])):
        full = stored + position >= size
        coins.append(next(draws)["value"] if full else 0.9)  # which a pool that is not full must not heed
        places.append(next(draws)["value"] if full and coins[-1] > 0.5 else size - 1)
    return torch.tensor(coins), torch.tensor(places)


@pytest.mark.parametrize("case", ["size5_single", "size5_batches_of_3"])
def test_golden_exchanges(case):
    pool, stored = ImagePool(5, (1, 2, 2)), 0
    for row in GOLDEN[case]:
        returned = pool.query(numbered(row["given"]), as_given(row, stored, 5))
        stored = min(5, stored + len(row["given"]))
        assert numbers(returned) == row["returned"]
        assert numbers(pool.images[:stored]) == row["pool_after"]
        assert pool.filled.item() == stored


def test_no_pool_returns_what_it_is_given():
    images = numbered([3, 4]).requires_grad_()
    returned = ImagePool(0, (1, 2, 2)).query(images)
    assert torch.equal(returned, images)
    assert not returned.requires_grad


def test_half_of_what_a_full_pool_returns_is_old_and_evenly_so():
    torch.manual_seed(0)
    pool = ImagePool(50, (1, 1, 1))
    given = torch.arange(1650.0)[:, None, None, None]
    ages = (given - pool.query(given)).flatten().tolist()
    assert ages[:50] == [0] * 50
    old = [age for age in ages[50:] if age]
    assert len(old) == pytest.approx(800, abs=4 * 1600**0.5 / 2)  # four standard deviations
    # One place of fifty is taken at every other image, so that an image waits about a hundred.
    assert sum(old) / len(old) == pytest.approx(100, rel=0.2)


def test_the_pool_is_fixed_in_shape_and_in_the_state_from_the_start():
    pool = ImagePool(4, (3, 8, 6))
    shapes = {name: tuple(value.shape) for name, value in pool.state_dict().items()}
    assert shapes == {"images": (4, 3, 8, 6), "filled": (1,)}
    pool.query(torch.ones(3, 3, 8, 6))
    assert {name: tuple(value.shape) for name, value in pool.state_dict().items()} == shapes


def test_it_returns_no_graph_and_the_precision_it_was_given():
    images = torch.ones(2, 1, 2, 2, dtype=torch.bfloat16, requires_grad=True)
    returned = ImagePool(1, (1, 2, 2)).query(images)
    assert (returned.requires_grad, returned.dtype) == (False, torch.bfloat16)


def test_parts_of_a_batch_see_the_pool_of_one_process(monkeypatch):
    """Two processes with half a batch each keep the pool, and get the images, that one process would."""
    torch.manual_seed(0)
    whole, copies = ImagePool(3, (1, 2, 2)), [ImagePool(3, (1, 2, 2)) for _ in range(2)]
    for first in range(0, 24, 4):
        images, draws = numbered([*range(first, first + 4)]), (torch.rand(4), torch.randint(3, (4,)))
        with monkeypatch.context() as alone:
            alone.setattr(image_pool, "gather", lambda rows: rows)
            alone.setattr(image_pool, "rank", lambda: 0)
            expected = whole.query(images, draws)
        for rank, pool in enumerate(copies):
            everyones = iter([images, *draws])
            monkeypatch.setattr(image_pool, "rank", lambda rank=rank: rank)
            monkeypatch.setattr(image_pool, "gather", lambda _, each=everyones: next(each))
            mine = slice(2 * rank, 2 * rank + 2)
            returned = pool.query(images[mine], tuple(each[mine] for each in draws))
            assert torch.equal(returned, expected[mine])
            assert torch.equal(pool.images, whole.images)
