"""Hair: everything is a lock, and a style is a row that says where the locks' tips are."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from ganzoo_drawn.anime.canvas import Canvas
from ganzoo_drawn.anime.locks import BEHIND, CURTAIN, FRONT, OUTLINE, STRAY, TAIL, Edges, Locks, paint
from ganzoo_drawn.anime.palette import Hair
from ganzoo_drawn.anime.params import Face
from ganzoo_drawn.curves import curve, ellipse, loop, mirrored

CROWN = -1.54  # y of the top of the hair, in head units

# --- behind the head -------------------------------------------------------------------------------------------------


def _fan(
    rng: Random, count: int, reach: float, length: float, flare: float, width: float, jitter: float = 0.08
) -> Locks:
    """Locks from the crown down to `length`, side by side over -reach..reach; `flare` pulls the tips outward.

    Outer locks come last, so that they lie over the inner ones; those that the neck hides are left away.
    """
    locks = Locks()
    for place in sorted((2 * i / (count - 1) - 1 for i in range(count)), key=abs):
        if abs(place) < 0.3:
            continue
        swing = (rng.random() - 0.5) * jitter
        locks.add(
            (place * 0.55, CROWN + 0.35),
            (place * reach * 1.28, -0.35 * length),
            (place * (reach + flare) + swing, length + (rng.random() - 0.5) * 2.5 * jitter - 0.1 * abs(place)),
            width,
        )
    return locks


def _skull(canvas: Canvas, face: Face, hair: Hair) -> None:
    """The mass that all other hair sits on."""
    v = face.volume
    canvas.fill(ellipse(0, -0.36, 1.2 * v, 1.14 * v, 40), hair.tone(0.5), depth=0.3)
    if face.back not in TIED:
        short = BACKS[face.back].length < 0.9
        canvas.fill(ellipse(0, 0.15, 1.0, 0.62 if short else 0.90, 30), hair.tone(0.3), depth=0.3)


@dataclass(frozen=True)
class Back:
    """Hair that hangs down behind the head, and its curtain: the outermost locks, which lie before the shoulders."""

    count: int
    reach: float
    length: float  # y of the tips
    flare: float = 0.0
    width: float = 0.24
    taper: float = 3.0
    wave: float = 0.0
    jitter: float = 0.08
    curtain: float = 0.2  # y of the curtain's tips
    curtain_x: float = 1.0


BACKS: dict[str, Back] = {
    "short": Back(9, 1.0, 0.80, flare=0.05, width=0.26, taper=2.2, jitter=0.16, curtain=0.55, curtain_x=1.10),
    "bob": Back(9, 1.08, 1.10, flare=-0.08, width=0.26, taper=5.0, curtain=1.02, curtain_x=1.02),
    "flip": Back(9, 1.05, 1.00, flare=0.34, taper=2.4, jitter=0.12, curtain=0.85, curtain_x=1.42),
    "long": Back(10, 1.15, 2.6, flare=0.22, width=0.27, taper=5.0, jitter=0.14, curtain=2.5, curtain_x=1.28),
    "wavy": Back(10, 1.2, 2.5, flare=0.30, width=0.29, taper=4.0, wave=0.11, jitter=0.2, curtain=2.4, curtain_x=1.42),
    "hime": Back(10, 1.1, 2.8, flare=0.05, width=0.27, taper=8.0, jitter=0.03, curtain=2.7, curtain_x=1.20),
    "braids": Back(7, 0.98, 0.55, width=0.30, curtain=0.65, curtain_x=1.0),
    "curly": Back(10, 1.15, 1.5, flare=0.25, width=0.27, taper=3.0, wave=0.12, jitter=0.3, curtain=1.5, curtain_x=1.35),
    "low-twin": Back(7, 0.98, 0.60, width=0.30, curtain=0.70, curtain_x=0.98),
    "twin": Back(7, 0.86, 0.20, width=0.26, curtain=0.05, curtain_x=1.06),
    "pony": Back(7, 0.84, 0.15, width=0.26, curtain=0.15, curtain_x=1.04),
    "bun": Back(7, 0.84, 0.20, width=0.26, curtain=0.25, curtain_x=1.02),
    "buns": Back(7, 0.84, 0.20, width=0.26, curtain=0.25, curtain_x=1.04),
    "spiky": Back(8, 0.98, 0.70, flare=0.15, width=0.28, taper=1.8, jitter=0.2, curtain=0.25, curtain_x=1.22),
}


TIED = ("twin", "pony", "bun", "buns")  # leave the neck bare


def _down(canvas: Canvas, face: Face, hair: Hair, rng: Random, style: Back) -> None:
    """Hair that hangs down all round."""
    locks = _fan(rng, style.count, style.reach * face.volume, style.length, style.flare, style.width, style.jitter)
    paint(canvas, face, hair, locks.edges(canvas.knots, style.taper, style.wave), BEHIND, rng, 0.2)


def _tails(canvas: Canvas, face: Face, hair: Hair, rng: Random, roots: list[tuple[float, float, float]]) -> None:
    """Bundles of locks from `roots` (x, y, how far to the right the bundle falls)."""
    locks = Locks()
    for x, y, out in roots:
        for place in (-1.0, 1.0, -0.45, 0.5, 0.0):
            spread = place * 0.2
            tip_x = x + out + spread * 1.6 + (rng.random() - 0.5) * 0.15
            locks.add(
                (x + spread * 0.3, y + spread * 0.1),
                (x + out * 1.25 + spread * 1.2, y - 0.25 + abs(spread) * 0.5),
                (tip_x, y + 2.1 + rng.random() * 0.35 - abs(place) * 0.25),
                0.24,
            )
    paint(canvas, face, hair, locks.edges(canvas.knots, 2.6, rng.random() * 0.08), TAIL, rng, 0.0)


def _bun(canvas: Canvas, hair: Hair, x: float, y: float, r: float) -> None:
    """A bun about (x, y)."""
    canvas.fill(ellipse(x, y, r * 1.06, r * 1.03), hair.tone(0.1), depth=0.0)
    canvas.fill(ellipse(x, y, r, r * 0.97), hair.tone(0.62), depth=0.0)
    canvas.fill(ellipse(x + r * 0.1, y + r * 0.18, r * 0.85, r * 0.75), hair.tone(0.5), 0.6, depth=0.0)
    for part in (0.72, 0.42):
        arc = ellipse(x, y + 0.02, r * part, r * part * 0.9, 18)[9:17]
        canvas.line(arc, hair.tone(0.2), OUTLINE, 0.8, depth=0.0)
    canvas.stroke(ellipse(x, y, r * 0.7, r * 0.66, 24)[13:19], hair.tone(0.95), r * 0.2, 0.9, depth=0.0)


def _spikes(canvas: Canvas, face: Face, hair: Hair, rng: Random) -> None:
    """Spikes that stand off the head all round its upper half."""
    locks = Locks()
    for angle in (-0.35, 3.49, 0.05, 3.09, 0.5, 2.64, 0.95, 2.2, 1.35, 1.8):
        angle += (rng.random() - 0.5) * 0.22
        dx, dy = float(np.cos(angle)), -float(np.sin(angle))
        far = 1.5 + rng.random() * 0.22
        locks.add(
            (dx * 0.4, -0.45 + dy * 0.4),
            (dx * 0.95, -0.55 + dy * 0.9),
            (dx * far * 1.02, -0.30 + dy * (far - 0.18) + 0.2 * abs(dx)),
            0.27,
        )
    paint(canvas, face, hair, locks.edges(canvas.knots, 1.7), TAIL, rng, 0.2)


def draw_back(canvas: Canvas, face: Face, hair: Hair) -> None:
    """All hair that lies behind the neck."""
    rng = Random(face.strand)
    side = face.trinket_side
    if face.back == "twin":
        _tails(canvas, face, hair, rng, [(-1.0, -0.85, -0.5), (1.0, -0.85, 0.5)])
    elif face.back == "pony":
        _tails(canvas, face, hair, rng, [(side * 0.35, -1.25, side * 1.1)])
    elif face.back == "bun":
        _bun(canvas, hair, side * 0.25, -1.6, 0.42)
    elif face.back == "buns":
        for sign in (-1, 1):
            _bun(canvas, hair, sign * 0.88, -1.22, 0.36)
    elif face.back == "spiky":
        _spikes(canvas, face, hair, rng)
    _skull(canvas, face, hair)
    _down(canvas, face, hair, rng, BACKS[face.back])


# --- before the face -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fringe:
    """A fringe: where its tips are, in head units."""

    count: int
    middle: float  # y of the tips at the parting
    side: float  # y of the tips at the temples
    taper: float
    jag: float = 0.06  # how unequal the tips are
    sweep: float = 0.0  # how far tips lean away from the parting
    lean: float = 0.10  # how far all tips may lean to one side
    width: float = 1.2  # 1: locks just touch
    gap: float = 0.0  # half the width of the bare forehead at the parting
    strays: int = 2  # thin single locks on top


FRINGES: dict[str, Fringe] = {
    "straight": Fringe(8, -0.28, -0.16, taper=6.0, jag=0.07, lean=0.06),
    "arched": Fringe(8, -0.38, 0.15, taper=3.0, jag=0.12),
    "between": Fringe(7, -0.06, 0.0, taper=1.9, jag=0.24, lean=0.2, width=1.3),
    "parted": Fringe(8, -0.66, 0.36, taper=2.6, jag=0.08, sweep=0.26, lean=0.0, gap=0.12, strays=3),
    "swept": Fringe(8, -0.52, 0.14, taper=2.4, jag=0.10, sweep=0.34, lean=0.0, width=1.3),
    "spiky": Fringe(6, -0.20, 0.02, taper=1.6, jag=0.28, sweep=0.10, lean=0.25, width=1.5),
    "veil": Fringe(7, -0.50, 0.66, taper=2.2, jag=0.10, sweep=0.26, lean=0.0, width=1.4),
    "blunt": Fringe(9, -0.44, -0.36, taper=8.0, jag=0.03, lean=0.03, strays=1),
    "wispy": Fringe(9, -0.34, -0.02, taper=1.6, jag=0.16, lean=0.2, width=1.05, strays=3),
    "open": Fringe(8, -0.84, 0.30, taper=2.6, jag=0.05, sweep=0.3, lean=0.0, gap=0.15, strays=1),
}


def fringe_edges(canvas: Canvas, face: Face) -> Edges:
    """The edges of the fringe's locks, the same whenever asked: they are drawn twice, once as a shadow."""
    rng = Random(face.strand + 1)
    style = FRINGES[face.fringe]
    parting = face.parting * (1.8 if face.fringe in ("swept", "veil") else 1.0)
    lean = (rng.random() * 2 - 1) * style.lean
    locks = Locks()
    places = [2 * (i + 0.5 + 0.4 * (rng.random() - 0.5)) / style.count - 1 for i in range(style.count)]
    for x in sorted(places, key=lambda place: -abs(place - parting)):
        away = 1.0 if x > parting else -1.0
        off = min(1.0, abs(x - parting) / (1.0 + abs(parting) * 0.5))
        y = style.middle + (style.side - style.middle) * off**2 + (rng.random() - 0.5) * 2 * style.jag
        tip_x = x + away * (style.gap * (1 - off) + style.sweep * (1 - 0.7 * off)) + lean * (1 - x * x)
        locks.add(
            (parting * 0.6 + (x - parting) * 0.25, CROWN + 0.06 + 0.10 * abs(x)),
            (x * 1.2 + away * style.gap - lean * 0.3, -1.05 + 0.1 * abs(x)),
            (max(-1.08, min(1.08, tip_x)), y),
            style.width * (0.8 + 0.4 * rng.random()) / style.count,
        )
    edges = locks.edges(canvas.knots, style.taper)
    return edges


def _strays(canvas: Canvas, face: Face, hair: Hair, rng: Random) -> None:
    """Thin locks on top of the fringe."""
    style = FRINGES[face.fringe]
    locks = Locks()
    for _ in range(style.strays):
        x = (rng.random() * 2 - 1) * 0.8
        away = 1.0 if x > face.parting else -1.0
        tip = (x + away * (0.12 + style.gap), style.middle + 0.1 + (style.side - style.middle) * x * x)
        locks.add((face.parting * 0.6 + x * 0.4, CROWN + 0.25), (x * 1.2 - away * 0.1, -0.95), tip, 0.045)
    paint(canvas, face, hair, locks.edges(canvas.knots, 2.0), STRAY, rng, 1.05)


def draw_fringe_shadow(canvas: Canvas, face: Face, edges: Edges) -> None:
    """The fringe's shadow on the forehead."""
    down = np.array([-0.03 * face.light, 0.09])
    one, other = edges[0] + down, edges[1] + down
    for polygon in np.concatenate([one, other[:, ::-1]], axis=1):
        canvas.fill(polygon, face.skin[1])


def _cap(canvas: Canvas, face: Face, hair: Hair) -> None:
    """The hair on top of the head, down to the hairline."""
    v = face.volume
    top = curve(
        [(0.0, CROWN), (0.30, CROWN + 0.03), (0.64, -1.38), (1.0 * v, -1.04), (1.19 * v, -0.5), (1.16 * v, 0.0)]
    )
    line = curve([(1.0, 0.1), (0.90, -0.42), (0.55, -0.76), (0.0, -0.88)])
    canvas.fill(mirrored(np.concatenate([top, line])), hair.tone(0.5), depth=0.6)
    crown = top[:22]
    canvas.line(np.concatenate([crown[::-1] * (-1.0, 1.0), crown]), hair.tone(0.1), OUTLINE, 0.9, depth=0.6)


def _curtains(canvas: Canvas, face: Face, hair: Hair, rng: Random) -> None:
    """The outermost locks on either side, from the crown down; they carry the outline of the whole head of hair."""
    style = BACKS[face.back]
    locks = Locks()
    for sign in (-1.0, 1.0):
        for inner, short in ((0.0, 0.12), (0.13, 0.0)):
            locks.add(
                (sign * (0.42 - inner), CROWN + 0.12),
                (sign * (1.38 * face.volume - inner * 1.5), -0.98),
                (sign * (style.curtain_x - inner), style.curtain - short + (rng.random() - 0.5) * 0.15),
                0.20,
            )
    paint(canvas, face, hair, locks.edges(canvas.knots, max(2.4, style.taper), style.wave), CURTAIN, rng, 0.5)


def _side_locks(canvas: Canvas, face: Face, hair: Hair, rng: Random) -> None:
    """Locks before the ears."""
    if face.sides < -0.2:
        return
    blunt = face.back == "hime"
    locks = Locks()
    for sign in (-1, 1):
        for offset, short in ((0.10, 0.25), (0.0, 0.12), (-0.10, 0.0)):
            length = face.sides - short + (rng.random() - 0.5) * 0.2
            x = sign * (0.94 + offset)
            tip = (x + sign * (rng.random() - 0.75) * 0.2, length)
            locks.add((sign * 0.45, CROWN + 0.25), (x * 1.25, -0.8), tip, 0.13)
    paint(canvas, face, hair, locks.edges(canvas.knots, 9.0 if blunt else 2.6, BACKS[face.back].wave), FRONT, rng, 0.7)


def _ahoge(canvas: Canvas, face: Face, hair: Hair, rng: Random) -> None:
    """A single lock that stands up."""
    locks = Locks()
    lean = face.trinket_side * 0.45
    locks.add((0.0, CROWN + 0.4), (-lean * 0.7, CROWN - face.ahoge * 1.6), (lean, CROWN - face.ahoge * 0.5), 0.08)
    paint(canvas, face, hair, locks.edges(canvas.knots, 3.0), STRAY, rng, 0.6)


def _low_tails(canvas: Canvas, face: Face, hair: Hair, rng: Random) -> None:
    """Tails that start below the ears and lie before the shoulders."""
    locks = Locks()
    for sign in (-1.0, 1.0):
        for place in (-1.0, 1.0, 0.0):
            root = (sign * 1.0 + place * 0.06, 0.68)
            locks.add(root, (sign * 1.3 + place * 0.2, 1.0), (sign * 1.05 + place * 0.22, 2.3 - abs(place) * 0.2), 0.2)
    paint(canvas, face, hair, locks.edges(canvas.knots, 2.6), TAIL, rng, 0.2)


def _braids(canvas: Canvas, face: Face, hair: Hair) -> None:
    """Plaits that hang before the shoulders: lobe over lobe, leaning in by turns."""
    lobe = loop([(-0.20, -0.06), (-0.06, -0.16), (0.14, -0.10), (0.20, 0.06), (0.06, 0.16), (-0.12, 0.10)], 4)
    shine = curve([(-0.12, -0.04), (0.0, -0.06), (0.11, 0.0)], 4)
    for sign in (-1.0, 1.0):
        for step in range(12):
            lean = 1.0 if step % 2 else -1.0
            flip, at = np.array([lean, 1.0]), np.array([sign * (1.0 + 0.02 * step) + 0.07 * lean, 0.60 + 0.145 * step])
            canvas.fill(lobe * flip + at, hair.tone(0.60), depth=0.2)
            canvas.fill(lobe * (0.75, 0.55) * flip + at + (0.0, 0.05), hair.tone(0.45), 0.6, depth=0.2)
            canvas.stroke(shine * flip + at, hair.tone(0.85), 0.06, 0.7, depth=0.2)
            canvas.outline(lobe * flip + at, hair.tone(0.1), OUTLINE, 0.8, depth=0.2)


def draw_front(canvas: Canvas, face: Face, hair: Hair, edges: Edges) -> None:
    """All hair that lies before the face."""
    rng = Random(face.strand + 2)
    _cap(canvas, face, hair)
    _curtains(canvas, face, hair, rng)
    if face.back == "braids":
        _braids(canvas, face, hair)
    if face.back == "low-twin":
        _low_tails(canvas, face, hair, rng)
    _side_locks(canvas, face, hair, rng)
    paint(canvas, face, hair, edges, FRONT, rng, 1.0)
    _strays(canvas, face, hair, rng)
    if face.ahoge:
        _ahoge(canvas, face, hair, rng)
