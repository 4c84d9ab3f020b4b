"""The colours of a face: tables of hand-picked rows, and the ramp from dark line to bright shine that hair uses."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

Colour = tuple[int, int, int]  # red, green, blue, each 0..255


def colour(text: str) -> Colour:
    """`"f0c868"` as (240, 200, 104)."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def row(text: str) -> tuple[Colour, ...]:
    """Several colours from one line of hex codes."""
    return tuple(colour(word) for word in text.split())


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """The colour `share` (0..1) of the way from `one` to `other`."""
    keep = 1.0 - share
    return (
        round(one[0] * keep + other[0] * share),
        round(one[1] * keep + other[1] * share),
        round(one[2] * keep + other[2] * share),
    )


BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)

# Hair: shade, base, shine.
HAIR = {
    "black": ("1a1622 322c3e 8f8bb0", "17161a 2c2b32 8c8e98", "16182c 282c4c 7f8cc0", "1e1618 3a2d2e 9a8680"),
    "brown": ("4a2a20 7c4a34 cfa17c", "5c3822 966240 e4bc8e", "402826 684238 b88e78", "70493a aa7c5c ecd0ac"),
    "blond": ("c08a3c f2ca68 fff6c8", "b89452 ead48c fffbe4", "cc9826 fada4c fffac0", "ba823c e8b868 fff0c8"),
    "orange": ("b44c1c f08a36 ffd698", "a4441c de7432 ffc48c", "c66028 faa44a ffe4b0"),
    "red": ("7a1426 c43240 fa9e94", "84201a d4482f ffb090", "6a1230 ac2a4c ee90a8"),
    "pink": ("c4588a f694b6 ffe4ee", "cc6c9e fab2ce fff2f8", "b43c7c ec689e ffc8e0", "d27688 fcb6ba fff2ee"),
    "purple": ("523280 8a60b8 dec2f6", "6c56a4 a894d8 f0e8ff", "4a206a 803ca2 d898e8", "6a3a6e a2689e ecc0dc"),
    "blue": ("2a4698 4c80d6 bce2ff", "5a8ac8 94c6f0 ecfbff", "22387a 3c62b6 a4c8f6", "3684a8 60c4dc d6fcfc"),
    "green": ("28684a 54a86a ccf0b2", "5a9454 9ad074 f0fecc", "1c5c5c 3a9a8a b0ecd6", "46742e 7cae44 dcf4a0"),
    "silver": ("8688aa c8cadf ffffff", "9a92a6 d8d2de ffffff", "80909e b4c2d0 fafeff", "a89a92 dfd5ca fffdf6"),
}
FAMILIES = tuple(HAIR)
_HAIR_ROWS = {family: tuple(row(text) for text in texts) for family, texts in HAIR.items()}

# The same hair dark and bright, hue kept: what `anime-hair` translates between.
HAIR_PAIRS = tuple(
    (row(dark), row(bright))
    for dark, bright in (
        ("17161a 2c2b32 84868f", "8e92a6 ccd0dc ffffff"),
        ("3a2018 5a3626 a87c5c", "c08a3c f2ca68 fff6c8"),
        ("141c40 25336c 7088c8", "5a8ac8 94c6f0 ecfbff"),
        ("2c1640 4a2a66 9a74b8", "8e70c0 c4aaec f8f0ff"),
        ("440c20 701c34 b86478", "c8608c f69cba ffe6ee"),
        ("0e302e 1c4c46 62a090", "4aa488 84d8b4 e6fff0"),
    )
)

# Skin: line, shade, base, light, blush.
SKINS = (
    (9, row("a8604e eeb8a0 fee4d4 fff4ec f89a94")),
    (6, row("a05c50 e8aea0 fcdccf fff0e8 f48e90")),
    (3, row("9c5840 e6a882 fbd6b6 ffecd8 ee8468")),
    (2, row("a46860 e2b8b4 fce8e0 fff8f4 fa9ca4")),
    (1, row("84482e c88a5e eabb90 f8d8b4 d8684c")),
    (1, row("5c3022 8e5a40 b98460 d8a884 b2503c")),
)

# Eyes: rim, upper iris, lower iris, glow.
IRISES = (
    (4, row("141c48 2848a0 5ca0ec b8ecff")),
    (4, row("3a1a12 7a3c20 c47c40 ffd08c")),
    (3, row("0c3024 1c7048 54c078 ccffb8")),
    (3, row("480c18 a01c30 ec5058 ffb4a0")),
    (3, row("280e48 6230a0 a874e4 f0c8ff")),
    (2, row("482c08 a06c14 ecb83c fff4a0")),
    (2, row("480c34 b02c74 f478b0 ffd0e4")),
    (2, row("0a3440 14808c 4cd0d0 ccfff4")),
    (2, row("241c1c 4a3a38 80685c ccb09c")),
    (1, row("202838 566480 9cb0c8 e8f8ff")),
)

LASHES = (
    (4, colour("2a1a20")), (3, colour("1c1824")), (2, colour("40241e")), (1, colour("20203c")),
)  # fmt: skip

# Cloth: shade, base, trim.
CLOTHES = (
    (3, row("1e2a50 34467c f4f4fa")),
    (3, row("c4c8d8 f6f6fa 3c5490")),
    (2, row("7c1c2c b4303c fff0d8")),
    (2, row("24202a 403a48 e8e0e8")),
    (2, row("b06a80 f0a8b8 ffffff")),
    (2, row("4c7ca0 88b8d8 ffffff")),
    (1, row("3c6c4c 64a070 fff8d0")),
    (1, row("b88838 f0c864 8c4020")),
    (1, row("5c4488 8c70b8 f8e8ff")),
    (1, row("6c4834 a07850 fff0dc")),
)

# Ribbons, bands, hats: shade, base, light.
TRINKETS = (
    (4, row("94182c d83044 ff8c8c")),
    (2, row("b04878 f080a8 ffd0e0")),
    (2, row("24488c 4478cc a0ccff")),
    (2, row("b0b0c4 f4f4fa ffffff")),
    (2, row("201c28 403a4c 84809c")),
    (1, row("b88420 f4c83c fff4a8")),
    (1, row("287048 48b070 b0f0b8")),
    (1, row("5c3490 8c60c8 d8b4ff")),
)

# Backdrops: two or three colours that go together.
BACKDROPS = (
    (3, row("f4f6fa dce6f2 ffffff")),
    (2, row("fde6ea f8c8d4 fff6f2")),
    (2, row("d4ecfa 98ccf0 f4fbff")),
    (2, row("e4f4dc b4dca8 fafff0")),
    (2, row("fdf0d4 f6d49c fffaf0")),
    (2, row("e8e0f6 c4b4e4 faf6ff")),
    (1, row("4c5c8c 28305c 98a4d4")),
    (1, row("5c4444 382428 a88880")),
    (1, row("f09c6c c05c6c ffdc9c")),
    (1, row("3c6858 1c3c3c 84b49c")),
    (1, row("8c98a8 586474 c4ccd4")),
)

RAMP_STEPS = 64
_RAMP_STOPS = (0.0, 0.35, 0.65, 1.0)  # where line, shade, base and shine stand on the ramp


@dataclass(frozen=True)
class Hair:
    """A hair colour: its family's name and the ramp of `RAMP_STEPS` + 1 colours from line to shine."""

    family: str
    ramp: tuple[Colour, ...]

    def tone(self, value: float) -> Colour:
        """The colour at `value`: 0 line, 0.35 shade, 0.65 base, 1 shine."""
        return self.ramp[min(RAMP_STEPS, max(0, int(value * RAMP_STEPS)))]


def _ramp_plan() -> tuple[tuple[int, float], ...]:
    """For each colour of a ramp: which stop it follows, and how far it is on the way to the next."""
    plan = []
    for step in range(RAMP_STEPS + 1):
        value = step / RAMP_STEPS
        stop = max(i for i in (0, 1, 2) if value >= _RAMP_STOPS[i])
        plan.append((stop, (value - _RAMP_STOPS[stop]) / (_RAMP_STOPS[stop + 1] - _RAMP_STOPS[stop])))
    return tuple(plan)


_RAMP_PLAN = _ramp_plan()


def hair_of(family: str, shade: Colour, base: Colour, shine: Colour) -> Hair:
    """A hair colour from its three stops; its lines are a darker shade."""
    stops = (mix(shade, BLACK, 0.5), shade, base, shine)
    return Hair(family, tuple(mix(stops[stop], stops[stop + 1], share) for stop, share in _RAMP_PLAN))


def pick_family(rng: Random, count: int) -> int:
    """Which of so many families, each as likely as the others."""
    return int(rng.random() * count)


def pick_hair(rng: Random, families: tuple[str, ...] = FAMILIES) -> Hair:
    """A hair colour between two rows of one family. The family is the stream's first draw."""
    family = families[pick_family(rng, len(families))]
    rows = _HAIR_ROWS[family]
    one, other = rows[int(rng.random() * len(rows))], rows[int(rng.random() * len(rows))]
    share = rng.random() * 0.5
    shade, base, shine = (mix(a, b, share) for a, b in zip(one, other, strict=True))
    return hair_of(family, shade, base, shine)


def pick_hair_pair(rng: Random) -> tuple[Hair, Hair]:
    """A dark hair colour and the bright one of the same hue; both vary together."""
    dark, bright = HAIR_PAIRS[int(rng.random() * len(HAIR_PAIRS))]
    other = HAIR_PAIRS[int(rng.random() * len(HAIR_PAIRS))]
    share = rng.random() * 0.25
    return (
        hair_of("dark", *(mix(a, b, share) for a, b in zip(dark, other[0], strict=True))),
        hair_of("bright", *(mix(a, b, share) for a, b in zip(bright, other[1], strict=True))),
    )
