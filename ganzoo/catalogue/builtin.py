"""What the core itself puts into the catalogue, through the same hooks as everyone's plugins."""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.contract.cards import AugmentationCard, LossCard, ModalityCard, PenaltyCard
from ganzoo.contract.hookspecs import hookimpl

# name, summary, paper, class
LOSSES = (
    ("minimax", "The original equation; G's gradient saturates.", "arXiv:1406.2661", "Minimax"),
    ("nonsaturating", "G maximises log D(G(z)); the usual choice.", "arXiv:1406.2661", "NonSaturating"),
    ("lsgan", "Least squares with labels a, b, c.", "arXiv:1611.04076", "LeastSquares"),
    ("hinge", "D stops caring beyond a margin.", "arXiv:1705.02894", "Hinge"),
    ("wasserstein", "A critic; wants a gradient penalty.", "arXiv:1701.07875", "Wasserstein"),
    ("relativistic", "Real against generated, pair by pair; R3GAN's.", "arXiv:1807.00734", "Relativistic"),
    ("relativistic-average", "Each against the other side's mean.", "arXiv:1807.00734", "RelativisticAverage"),
)
PENALTIES = (
    ("r1", "Squared gradient norm on real data.", "arXiv:1801.04406", "R1"),
    ("r2", "Squared gradient norm on generated data.", "arXiv:1801.04406", "R2"),
    ("approximate-r1", "R1 by a difference, without its second derivatives.", "arXiv:2501.08316", "ApproximateR1"),
    ("approximate-r2", "R2 by a difference, without its second derivatives.", "arXiv:2501.08316", "ApproximateR2"),
    ("wgan-gp", "Gradient norm of 1 between real and fake.", "arXiv:1704.00028", "WganGp"),
    ("dragan", "Gradient norm of 1 around the data.", "arXiv:1705.07215", "Dragan"),
    ("drift", "Keeps the critic's numbers near 0.", "arXiv:1710.10196", "Drift"),
    ("mean-drift", "Keeps the critic's mean near 0.", "arXiv:2102.07074", "MeanDrift"),
)
ALIASES = {
    "nonsaturating": ("non-saturating", "ns", "bce", "logistic"),
    "lsgan": ("mse", "least-squares"),
    "wasserstein": ("wgan",),
    "relativistic": ("rpgan",),
    "relativistic-average": ("ragan",),
    "wgan-gp": ("gp", "gradient-penalty"),
}


@hookimpl
def ganzoo_modalities() -> Iterator[ModalityCard]:
    yield ModalityCard(
        name="image",
        summary="Pictures, grey, in colour or with alpha.",
        items="images",
        api=2,
        modality="ganzoo.pictures.modalities:Images",
    )


@hookimpl
def ganzoo_augmentations() -> Iterator[AugmentationCard]:
    yield AugmentationCard(
        name="diffaug",
        summary="Colour, translation and cutout.",
        paper="arXiv:2006.10738",
        api=2,
        aliases=("diffaugment",),
        augmentation="ganzoo.gan.augment:DiffAugment",
    )


@hookimpl
def ganzoo_losses() -> Iterator[LossCard]:
    for name, summary, paper, attribute in LOSSES:
        where, aliases = f"ganzoo.gan.losses:{attribute}", ALIASES.get(name, ())
        yield LossCard(name=name, summary=summary, paper=paper, api=2, aliases=aliases, loss=where)


@hookimpl
def ganzoo_penalties() -> Iterator[PenaltyCard]:
    for name, summary, paper, attribute in PENALTIES:
        where, aliases = f"ganzoo.gan.penalties:{attribute}", ALIASES.get(name, ())
        yield PenaltyCard(name=name, summary=summary, paper=paper, api=2, aliases=aliases, penalty=where)
