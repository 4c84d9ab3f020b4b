"""What an architecture can do, as one table that everything asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Abilities:
    """What an architecture can do. Everything that uses one asks this table; the kit checks that it is true.

    Attributes:
        generate: makes items from noise: `latent_dim` and `generate`.
        truncation: its `generate` takes other values than 1.
        mix: mixes the styles of two latents.
        styles: ``generate(z, label)`` is ``synthesis(mapping(z, label))``; projections are made in w instead of z.
        realness: says of an item alone how real it looks.
        translate: from domain to domain; `Architecture.targets` names those that it translates to.
        encode: says which latents z an item has.
        labels: what it takes as labels: ``"class"``, ``"attributes"``, ``"numbers"``; none where it is empty. Of an
            instance, ``"choices"``: a category of one of the data's own columns, as `Modality.condition` has it.
        pairs: learns from pairs: row i of each domain's images then belongs together, cropped and flipped alike.
        channels: takes domains of different channels, which `DataSpec.shapes` then says, such as grey edges and colour
            photos; to others every domain is given in the colours of the richest.
        sizes: takes domains of different sizes, which `DataSpec.shapes` then says, such as pictures and the same twice
            as large; to others all are resized to one size.
        domains: how many domains a translator takes; 0: as many as the data has.
        dropout: its dropout stays on when the trained model is used (Isola et al. 2017). Images are then translated
            one by one, with the generators' dropout modules in training mode and all else in evaluation.
        codes: its latents have codes that a user may choose; `Architecture.codes` names them.
        recompute: its networks may be computed a second time in the backward pass, with the same result.
    """

    generate: bool = False
    truncation: bool = False
    mix: bool = False
    styles: bool = False
    realness: bool = False
    translate: bool = False
    encode: bool = False
    labels: frozenset[str] = frozenset()
    pairs: bool = False
    channels: bool = False
    sizes: bool = False
    domains: int = 2
    dropout: bool = False
    codes: bool = False
    recompute: bool = True
