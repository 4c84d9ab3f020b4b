"""My metric.

Whether generated images are as bright, and as colourful, as real ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from ganzoo.api import Evidence, UsageError, option


@dataclass(frozen=True)
class MyMetric:
    """Wasserstein distance between the values of real and of generated pixels, the mean over channels.

    Of two sets of numbers of equal size it is known exactly: the distance between them once both are sorted. Where the
    pixels lie does not matter. 0 is best; 2 is between all black and all white.
    """

    order: int = option(1, "1: the mean difference; 2: the root of the mean squared one", low=1, high=2)

    def __call__(self, evidence: Evidence) -> dict[str, float]:
        if evidence.real.dim() != 4:
            raise UsageError("my-metric compares images, and these are points.")
        count = min(len(evidence.real), len(evidence.fake))
        real, fake = (
            images[:count].transpose(0, 1).flatten(1).sort().values  # [C, N * H * W]
            for images in (evidence.real, evidence.fake)
        )
        power = (real - fake).abs().pow(self.order).mean(1)  # [C]
        return {"my-metric": float(power.pow(1 / self.order).mean())}
