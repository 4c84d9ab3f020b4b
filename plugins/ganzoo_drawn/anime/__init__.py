"""`anime`, `anime-hair`, `anime-edges` and `anime-families`: anime-style faces drawn by code.

A face is a `params.Face` and a `palette.Hair`, each from a stream of its own, so that one face can be drawn with any
hair colour. `portrait.draw` paints it from back to front.
"""

from __future__ import annotations

from ganzoo_drawn.anime.sources import Anime, AnimeEdges, AnimeFamilies, AnimeHair

__all__ = ["Anime", "AnimeEdges", "AnimeFamilies", "AnimeHair"]
