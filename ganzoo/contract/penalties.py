"""What a penalty is, and the penalties of a run together: which of them D has at every turn, and which now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from torch import Tensor

from ganzoo.contract.architecture import Progress, Update
from ganzoo.contract.schedules import at, has_schedules
from ganzoo.errors import UsageError

Critic = Callable[[Tensor], Tensor]


class Penalty(Protocol):
    """A term of D's loss that the adversarial loss does not have."""

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, d_real: Tensor, d_fake: Tensor) -> Tensor:
        """D, real and fake images [B, ...], D's logits on both -> weighted scalar."""


class Penalties(dict[str, Penalty]):
    """A run's penalties by name, those of every turn of D and the lazy ones (Karras et al. 2020, appendix B).

    A lazy penalty is computed at D's turns 0, `every`, 2 * `every`, …, times `every`, in an update of its own; the
    optimizer steps so much more often, which `adam` makes up for.

    Attributes:
        lazy: names of the lazy ones.
        every: turns of D between two of theirs; 1 where there is none.
    """

    def __init__(self, penalties: Mapping[str, Penalty], lazy: Mapping[str, int]) -> None:
        """Raises: UsageError when lazy penalties have different intervals."""
        super().__init__(penalties)
        if len(set(lazy.values())) > 1:
            raise UsageError(
                "Lazy penalties of one run share one interval, and --penalty has "
                f"{' and '.join(f'{name}:every={every}' for name, every in lazy.items())}; give all the same."
            )
        self.lazy, self.every = tuple(lazy), max(lazy.values(), default=1)
        self._scheduled = {name: penalty for name, penalty in penalties.items() if has_schedules(penalty)}

    def begin_step(self, progress: Progress) -> None:
        """Weights that follow a schedule become those of this moment."""
        self.update({name: at(penalty, progress) for name, penalty in self._scheduled.items()})

    def terms(self, critic: Critic, real: Tensor, fake: Tensor, d_real: Tensor, d_fake: Tensor) -> dict[str, Tensor]:
        """The terms of every turn."""
        return {
            name: penalty(critic, real, fake, d_real, d_fake) for name, penalty in self.items() if name not in self.lazy
        }

    def lazy_turn(
        self, turn: int, network: str, sides: Mapping[str, tuple[Critic, Tensor, Tensor]], clip: float | None = None
    ) -> Iterator[Update]:
        """The update of the lazy terms, to yield after D's own one; none at most turns.

        Args:
            turn: D's turns so far, since the run began.
            network: whose update it is.
            sides: D as a function of images, real and fake images [B, ...]; of each discriminator, by what is added to
                its terms' names: ``""`` for the only one, ``" A"`` and ``" B"`` for two.
        """
        if not self.lazy or turn % self.every:
            return
        terms = {}
        for side, (critic, real, fake) in sides.items():
            d_real, d_fake = critic(real), critic(fake)
            for name in self.lazy:
                terms[name + side] = self.every * self[name](critic, real, fake, d_real, d_fake)
        yield Update(network, terms, clip=clip, name="+".join(self.lazy))

    def adam(self, lr: float, betas: tuple[float, float]) -> dict[str, Any]:
        """D's rate and betas for `torch.optim.Adam`, as the lazy turns want them: a share k / (k + 1) of the rate, the
        betas to that power.
        """
        share = self.every / (self.every + 1) if self.lazy else 1.0
        return {"lr": lr * share, "betas": (betas[0] ** share, betas[1] ** share)}
