"""Who is drawn: the choices that make one face, drawn by lot. Hair colour is not among them; see `palette`."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TypeVar

from ganzoo_drawn.anime import palette
from ganzoo_drawn.anime.palette import Colour

T = TypeVar("T")
Weighted = tuple[tuple[int, T], ...]

# Hair at the back, the fringe before the forehead, the locks before the ears. Names are keys of `hair`'s tables.
BACKS: Weighted[str] = (
    (5, "long"), (4, "bob"), (4, "short"), (3, "twin"), (2, "pony"), (3, "wavy"),
    (2, "bun"), (2, "buns"), (3, "spiky"), (2, "hime"), (2, "flip"), (1, "low-twin"), (1, "braids"), (2, "curly"),
)  # fmt: skip
FRINGES: Weighted[str] = (
    (4, "straight"), (4, "arched"), (4, "between"), (4, "parted"), (4, "swept"), (3, "spiky"), (2, "wispy"),
    (1, "open"), (2, "veil"), (1, "blunt"),
)  # fmt: skip
MOUTHS: Weighted[str] = (
    (5, "smile"), (3, "flat"), (3, "open"), (2, "grin"), (2, "small-o"), (1, "cat"), (1, "frown"), (1, "fang"),
    (2, "tiny"),
)  # fmt: skip
NOSES: Weighted[str] = ((4, "dot"), (3, "line"), (3, "shade"), (1, "none"))
BROWS: Weighted[str] = ((6, "soft"), (2, "raised"), (1, "stern"), (2, "worried"))
EYES: Weighted[str] = ((14, "open"), (1, "happy"), (1, "wink"), (1, "sleepy"))
SPARKLES: Weighted[str] = ((5, "two"), (2, "one"), (2, "three"), (1, "tall"))
MARKS: Weighted[str] = ((22, ""), (2, "mole"), (1, "freckles"), (1, "plaster"))
CLOTHES: Weighted[str] = ((4, "sailor"), (3, "shirt"), (2, "turtleneck"), (2, "hood"), (2, "bare"), (2, "kimono"))
BACKDROPS: Weighted[str] = (
    (10, "white"), (4, "plain"), (4, "gradient"), (3, "bokeh"), (2, "sky"), (3, "room"), (1, "rays"), (1, "leaves"),
)  # fmt: skip
GLASSES: Weighted[str] = ((17, ""), (1, "round"), (1, "oval"), (1, "half"))
TRINKETS: Weighted[str] = (
    (16, ""), (2, "bow"), (2, "side-bow"), (2, "band"), (2, "cat-ears"), (2, "pins"), (2, "flower"), (1, "beret"),
    (1, "maid"), (1, "headphones"), (1, "bunny-ears"),
)  # fmt: skip
TALL = ("cat-ears", "bunny-ears", "beret", "bow")  # need room above the head


def pick(rng: Random, table: Weighted[T]) -> T:
    """One value of `table`, each as likely as its weight says."""
    ticket = rng.random() * sum(weight for weight, _ in table)
    for weight, value in table:
        ticket -= weight
        if ticket < 0:
            return value
    return table[-1][1]


def between(rng: Random, low: float, high: float) -> float:
    """A number of low..high, any as likely."""
    return low + (high - low) * rng.random()


def middling(rng: Random, spread: float) -> float:
    """A number of -spread..spread, small ones likelier."""
    return spread * (rng.random() + rng.random() + rng.random() - 1.5) / 1.5


@dataclass(frozen=True)
class Face:
    """One face. Lengths are in head units (the face is about 2 wide), shares are of the picture's side."""

    # Pose.
    centre: tuple[float, float]  # shares: where the point between the eyes is
    scale: float  # share: one head unit
    tilt: float  # radians, clockwise
    turn: float  # -1 to the left .. 1 to the right
    light: int  # side that light comes from: -1 or 1
    # Head.
    skin: tuple[Colour, ...]
    chin: float  # y of the chin
    jaw: float  # half the width of the jaw
    ears: str  # "", "human" or "elf"
    blush: float  # 0..1
    # Eyes and brows.
    irises: tuple[tuple[Colour, ...], tuple[Colour, ...]]  # left, right
    lash: Colour
    eyes: str
    eye_y: float
    eye_apart: float  # from the middle to an eye's centre
    eye_width: float  # half
    eye_height: float  # half
    eye_slant: float  # > 0: outer corners up
    iris_width: float  # share of eye_width
    gaze: tuple[float, float]
    sparkle: str  # the lights in the eyes
    brows: str
    brow_height: float
    # Nose and mouth.
    nose: str
    mouth: str
    mouth_y: float
    mouth_width: float
    mark: str  # on the cheek, often none
    # Hair's shape.
    back: str
    fringe: str
    parting: float  # x where the fringe parts
    sides: float  # y down to which the locks before the ears hang; < -0.2: none
    ahoge: float  # height; 0: none
    volume: float  # how far hair stands off the head, about 1
    fade: float  # how much lighter (> 0) or darker the tips are
    strand: int  # seed of the locks' small differences
    # The rest.
    glasses: str
    trinket: str
    trinket_colours: tuple[Colour, ...]
    trinket_side: int
    clothes: str
    cloth: tuple[Colour, ...]
    backdrop: str
    backdrop_colours: tuple[Colour, ...]


def pick_face(rng: Random) -> Face:
    """A face by lot."""
    calm = rng.random() < 0.7  # most faces look nearly straight ahead
    cool = rng.random() ** 2  # 0: round and childlike, 1: narrow-eyed and grown-up
    iris = pick(rng, palette.IRISES)
    other_iris = pick(rng, palette.IRISES) if rng.random() < 0.03 else iris
    back = pick(rng, BACKS)
    trinket = pick(rng, TRINKETS)
    tall = trinket in TALL or back == "buns"
    return Face(
        centre=(0.5 + middling(rng, 0.06), 0.545 + 0.05 * tall + middling(rng, 0.05)),
        scale=between(rng, 0.325, 0.405) * (0.86 if tall else 1.0),
        tilt=middling(rng, 0.16 if calm else 0.38),
        turn=middling(rng, 0.6 if calm else 1.5),
        light=-1 if rng.random() < 0.5 else 1,
        skin=pick(rng, palette.SKINS),
        chin=0.97 + 0.15 * cool + middling(rng, 0.04),
        jaw=between(rng, 0.54, 0.68),
        ears=pick(rng, ((10, ""), (10, "human"), (1, "elf"))),
        blush=max(0.0, between(rng, -0.4, 1.0)),
        irises=(iris, other_iris),
        lash=pick(rng, palette.LASHES),
        eyes=pick(rng, EYES),
        eye_y=between(rng, 0.03, 0.13),
        eye_apart=between(rng, 0.45, 0.50),
        eye_width=between(rng, 0.25, 0.30),
        eye_height=between(rng, 0.26, 0.34) - 0.10 * cool,
        eye_slant=middling(rng, 0.11) + 0.05 * cool,
        iris_width=between(rng, 0.74, 0.88) - 0.08 * cool,
        gaze=(middling(rng, 0.05), middling(rng, 0.02)),
        sparkle=pick(rng, SPARKLES),
        brows=pick(rng, BROWS),
        brow_height=between(rng, 0.46, 0.54) - 0.08 * cool,
        nose=pick(rng, NOSES),
        mouth=pick(rng, MOUTHS),
        mouth_y=between(rng, 0.65, 0.69) + 0.10 * cool,
        mouth_width=between(rng, 0.8, 1.2),
        mark=pick(rng, MARKS),
        back=back,
        fringe="straight" if back == "hime" else pick(rng, FRINGES),
        parting=middling(rng, 0.45),
        sides=between(rng, 0.75, 1.5) if back == "hime" else between(rng, -0.35, 1.3),
        ahoge=between(rng, 0.25, 0.5) if rng.random() < 0.15 else 0.0,
        volume=between(rng, 0.94, 1.08),
        fade=between(rng, -0.06, 0.08) + (0.2 if rng.random() < 0.08 else 0.0),
        strand=int(rng.random() * 2**31),
        glasses=pick(rng, GLASSES),
        trinket=trinket,
        trinket_colours=pick(rng, palette.TRINKETS),
        trinket_side=-1 if rng.random() < 0.5 else 1,
        clothes=pick(rng, CLOTHES),
        cloth=pick(rng, palette.CLOTHES),
        backdrop=pick(rng, BACKDROPS),
        backdrop_colours=pick(rng, palette.BACKDROPS),
    )
