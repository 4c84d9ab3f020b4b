"""Memory that training holds on to, and gives back."""

import sys

import pytest
import torch

from ganzoo.loop import allocator

resource = pytest.importorskip("resource")

glibc = pytest.mark.skipif(allocator._glibc() is None, reason="no glibc, or tuned by the environment")


def faults(rounds: int) -> int:
    """Page faults of taking, filling and freeing twelve blocks, 312 MB in all, the last of several times."""
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        blocks = [torch.ones((k + 1) * 2**20) for k in range(12)]
        del blocks
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)


@glibc
def test_freed_memory_is_not_faulted_in_again_while_held() -> None:
    with allocator.memory_held():
        held = faults(rounds=8)
    assert faults(rounds=1) > 10 * (held + 1)


@glibc
def test_who_holds_it_within_another_does_not_let_it_go() -> None:
    with allocator.memory_held():
        with allocator.memory_held():
            pass
        held = faults(rounds=8)
    assert faults(rounds=1) > 10 * (held + 1)


def test_an_environment_that_tunes_the_allocator_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    assert allocator._glibc() is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the check is for Linux")
def test_errors_pass_through() -> None:
    with pytest.raises(ValueError, match="inside"), allocator.memory_held():
        raise ValueError("inside")
