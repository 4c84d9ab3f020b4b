"""One portrait, from the backdrop forward."""

from __future__ import annotations

from PIL import Image

from ganzoo_drawn.anime import hair as hairdo
from ganzoo_drawn.anime import head, scene
from ganzoo_drawn.anime.canvas import Canvas
from ganzoo_drawn.anime.palette import Hair
from ganzoo_drawn.anime.params import Face


def draw(face: Face, hair: Hair, side: int) -> Image.Image:
    """`face` with `hair` as an RGB picture of `side` by `side` pixels."""
    canvas = Canvas(side, face.centre, face.scale, face.tilt, face.turn)
    fringe = hairdo.fringe_edges(canvas, face)
    hairdo.draw_back(canvas, face, hair)
    head.draw_neck(canvas, face)
    scene.draw_clothes(canvas, face)
    head.draw_ears(canvas, face)
    head.draw_face(canvas, face)
    hairdo.draw_fringe_shadow(canvas, face, fringe)
    head.draw_nose(canvas, face)
    head.draw_mouth(canvas, face)
    head.draw_mark(canvas, face)
    head.draw_brows(canvas, face, hair)
    head.draw_eyes(canvas, face)
    head.draw_glasses(canvas, face)
    scene.draw_animal_ears(canvas, face, hair)
    hairdo.draw_front(canvas, face, hair, fringe)
    head.draw_brows(canvas, face, hair, 0.45)
    scene.draw_hair_ties(canvas, face)
    scene.draw_trinket(canvas, face)
    return canvas.finish(scene.backdrop(face, canvas.pixels))
