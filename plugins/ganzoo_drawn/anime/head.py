"""The head without its hair: neck, ears, face, eyes, brows, nose, mouth, glasses."""

from __future__ import annotations

import numpy as np

from ganzoo_drawn.anime.canvas import Canvas
from ganzoo_drawn.anime.palette import BLACK, WHITE, Colour, Hair, mix
from ganzoo_drawn.anime.params import Face
from ganzoo_drawn.curves import Points, curve, ellipse, mirrored

LINE = 0.026  # thickness of outlines, in head units
EYE_WHITE: Colour = (252, 250, 252)
EYE_SHADE: Colour = (196, 198, 222)
MOUTH_DARK: Colour = (150, 44, 52)
TONGUE: Colour = (240, 128, 124)


def draw_neck(canvas: Canvas, face: Face) -> None:
    """Neck and shoulders' skin, with the head's shadow on it."""
    line, shade, base, _, _ = face.skin
    half = curve([(0.30, 0.6), (0.30, face.chin + 0.12), (0.42, face.chin + 0.38), (1.3, face.chin + 0.62), (1.7, 3.2)])
    outline = mirrored(half)
    canvas.fill(outline, base, depth=0.35)
    canvas.fill(mirrored([(0.29, 0.6), (0.30, face.chin + 0.10), (0.0, face.chin + 0.34)]), shade, depth=0.35)
    canvas.line(half[6:], line, LINE, depth=0.35)
    canvas.line(half[6:] * (-1.0, 1.0), line, LINE, depth=0.35)


def draw_ears(canvas: Canvas, face: Face) -> None:
    """Ears, when they show."""
    if not face.ears:
        return
    line, shade, base, _, blush = face.skin
    for sign in (-1.0, 1.0):
        if face.ears == "elf":
            shape = [(0.9, -0.12), (1.2, -0.28), (1.62, -0.34), (1.38, 0.08), (1.0, 0.38)]
            inner = [(0.98, 0.0), (1.2, -0.14), (1.46, -0.24), (1.26, 0.06), (1.02, 0.22)]
        else:
            shape = [(0.9, -0.12), (1.06, -0.18), (1.13, 0.0), (1.06, 0.24), (0.92, 0.34)]
            inner = [(0.98, -0.04), (1.06, -0.08), (1.07, 0.04), (1.01, 0.18)]
        outline = curve(shape) * (sign, 1.0)
        canvas.fill(outline, base, depth=0.4)
        canvas.fill(curve(inner) * (sign, 1.0), mix(shade, blush, 0.3), depth=0.4)
        canvas.line(outline, line, LINE, depth=0.4)


def _face_half(face: Face) -> Points:
    """The right half of the face's outline, from the forehead to the chin."""
    c, j = face.chin, face.jaw
    cheek = [(0.97, -0.3), (0.95, 0.1), (0.86, 0.40)]
    jaw = [(j, c - 0.27), (j * 0.51, c - 0.09), (0.11, c - 0.012), (0.0, c)]
    return curve([(0.0, -1.15), (0.75, -0.9), *cheek, *jaw])


def draw_face(canvas: Canvas, face: Face) -> None:
    """The face's skin: outline, the shaded cheek away from the light, blush."""
    line, shade, base, light, blush = face.skin
    half = _face_half(face)
    canvas.fill(mirrored(half), base)
    far = half[12:]
    inner = far * (0.90, 1.0) - (0.0, 0.02)
    canvas.fill(np.concatenate([far, inner[::-1]]) * (-face.light, 1.0), shade, 0.8)
    lower = half[18:]
    canvas.line(lower, line, LINE)
    canvas.line(lower * (-1.0, 1.0), line, LINE)
    canvas.glow(face.light * 0.45, 0.42, 0.25, 0.14, light, 0.3)
    if face.blush:
        for sign in (-1, 1):
            canvas.glow(sign * 0.58, 0.43, 0.28, 0.15, blush, 0.55 * face.blush)
    if face.blush > 0.75:
        for sign in (-1, 1):
            for step in (-0.08, 0.0, 0.08):
                x = sign * 0.58 + step
                canvas.line(np.array([(x + 0.025, 0.38), (x - 0.025, 0.47)]), mix(blush, line, 0.35), 0.02, 0.7)


# --- eyes ------------------------------------------------------------------------------------------------------------


def _lids(face: Face, u: Points, open_share: float) -> tuple[Points, Points]:
    """The upper and lower lid's y at `u` (-1 inner .. 1 outer corner), about the eye's centre."""
    h = face.eye_height
    rise = face.eye_slant * u
    upper = -h * open_share * (1 - np.abs(u - 0.08) ** 2.6 * 0.86) - rise + h * (1 - open_share) * 0.5
    lower = h * (1 - np.abs(u + 0.02) ** 2.4) * 0.82 + 0.10 * h - rise
    return np.minimum(upper, lower), lower


# Lights in an eye: x towards the light, y, half width, half height (shares of the iris), opacity.
SPARKLES: dict[str, tuple[tuple[float, float, float, float, float], ...]] = {
    "two": ((0.36, -0.42, 0.36, 0.30, 1.0), (-0.40, 0.45, 0.20, 0.15, 0.85)),
    "one": ((0.30, -0.38, 0.42, 0.32, 1.0),),
    "three": ((0.34, -0.45, 0.34, 0.28, 1.0), (-0.42, 0.40, 0.20, 0.16, 0.9), (0.15, 0.66, 0.14, 0.10, 0.8)),
    "tall": ((0.40, -0.35, 0.26, 0.40, 1.0), (-0.35, 0.50, 0.30, 0.12, 0.7)),
}


# The discs of an iris: x, y, half width, half height (shares of the iris). Rim, upper, middle, lower part, glow, pupil,
# and the upper lid's shadow, in the order of painting.
DISCS = np.array(
    [
        (0.0, 0.0, 1.0, 1.0),
        (0.0, 0.03, 0.86, 0.88),
        (0.0, 0.22, 0.80, 0.68),
        (0.0, 0.38, 0.72, 0.50),
        (0.0, 0.58, 0.52, 0.28),
        (0.0, 0.0, 0.42, 0.50),
        (0.0, -0.62, 1.0, 0.42),
    ]
)


def _iris(
    canvas: Canvas, face: Face, place: Placing, colours: tuple[Colour, ...], lids: tuple[Points, Points, Points]
) -> None:
    """Iris, pupil and what shines in them; `lids` are u, the upper and the lower lid's y at u, which cut them off."""
    rim, upper, lower, glow = colours
    u, top, bottom = lids
    size = np.array([face.eye_width * face.iris_width, face.eye_height * 0.98])
    # The middle, in the eye's own units; the gaze is the same direction for both eyes.
    middle = np.array([face.gaze[0] * place.sign - 0.02, face.gaze[1] + 0.03])
    discs = ellipse(0.0, 0.0, 1.0, 1.0, 20) * (DISCS[:, None, 2:] * size) + (DISCS[:, None, :2] * size + middle)
    at = discs[..., 0] / face.eye_width
    discs[..., 1] = discs[..., 1].clip(np.interp(at, u, top), np.interp(at, u, bottom))
    tints = (rim, upper, mix(upper, lower, 0.5), lower, mix(lower, glow, 0.6), mix(rim, BLACK, 0.35))
    *parts, shadow = place(discs)
    for part, tint in zip(parts, tints, strict=True):
        canvas.fill(part, tint)
    canvas.fill(shadow, mix(rim, BLACK, 0.3), 0.65)
    towards = np.array([face.light * place.sign, 1.0])
    for dx, dy, share_x, share_y, alpha in SPARKLES[face.sparkle]:
        x, y = middle + towards * size * (dx, dy)
        canvas.fill(place(ellipse(x, y, share_x * size[0], share_y * size[1], 14)), WHITE, alpha)


class Placing:
    """Puts an eye's own points, x growing outward, at its place in the head."""

    def __init__(self, face: Face, sign: int) -> None:
        self.sign = sign
        self._scale = np.array([float(sign), 1.0])
        self._origin = np.array([sign * face.eye_apart, face.eye_y])

    def __call__(self, points: Points) -> Points:
        placed: Points = points * self._scale + self._origin
        return placed


def _open_eye(canvas: Canvas, face: Face, sign: int, open_share: float) -> None:
    """An open eye: white, iris, lashes, crease."""
    place = Placing(face, sign)
    u = np.linspace(-1.0, 1.0, 13)
    top, bottom = _lids(face, u, open_share)
    x = u * face.eye_width
    upper, lower = np.stack([x, top], axis=1), np.stack([x, bottom], axis=1)
    white = np.concatenate([upper, lower[::-1]])
    canvas.fill(place(white), EYE_WHITE)
    shade = np.concatenate([upper, np.minimum(upper + np.array([0.0, 0.11]), lower)[::-1]])
    canvas.fill(place(shade), EYE_SHADE)
    _iris(canvas, face, place, face.irises[(sign + 1) // 2], (u, top, bottom))
    thick = 0.055 + 0.05 * np.clip(u + 0.2, 0.0, 1.0)
    lash = np.concatenate([upper + np.array([0.0, 0.015]), np.stack([x * 1.04, top - thick], axis=1)[::-1]])
    canvas.fill(place(lash), face.lash)
    end_x, end_y = x[-1], top[-1]
    wing = [
        (end_x - 0.08, end_y - 0.12),
        (end_x + 0.09, end_y - 0.10),
        (end_x + 0.03, end_y + 0.02),
        (end_x - 0.01, end_y + 0.10),
    ]
    canvas.fill(place(np.array(wing)), face.lash)
    outer = lower[6:]
    canvas.stroke(place(outer), mix(face.lash, face.skin[0], 0.35), 0.05, 0.9)
    crease = upper[2:11] - (0.0, 0.15)
    canvas.stroke(place(crease), face.skin[0], 0.03, 0.8)


def _closed_eye(canvas: Canvas, face: Face, sign: int) -> None:
    """An eye shut in a smile."""
    place = Placing(face, sign)
    w = face.eye_width
    arc = curve([(-w, 0.14), (-w * 0.5, -0.01), (0.0, -0.05), (w * 0.55, 0.0), (w * 1.05, 0.16)])
    canvas.stroke(place(arc), face.lash, 0.12)
    for x, y in ((0.75, 0.05), (0.95, 0.10)):
        canvas.stroke(place(curve([(w * x, y), (w * x + 0.05, y + 0.02), (w * x + 0.11, y - 0.01)])), face.lash, 0.04)


def draw_eyes(canvas: Canvas, face: Face) -> None:
    """Both eyes."""
    for sign in (-1, 1):
        shut = face.eyes == "happy" or (face.eyes == "wink" and sign == face.trinket_side)
        if shut:
            _closed_eye(canvas, face, sign)
        else:
            _open_eye(canvas, face, sign, 0.45 if face.eyes == "sleepy" else 1.0)


# y of a brow at its inner end, middle and outer end, from the brow's height.
BROWS: dict[str, tuple[float, float, float]] = {
    "soft": (0.0, -0.06, 0.03),
    "raised": (-0.05, -0.14, -0.03),
    "stern": (0.10, -0.02, -0.02),
    "worried": (-0.09, -0.03, 0.06),
}


def draw_brows(canvas: Canvas, face: Face, hair: Hair, alpha: float = 1.0) -> None:
    """Brows, in the hair's dark tone; drawn faintly once more over the fringe."""
    inner, middle, outer = BROWS[face.brows]
    y = face.eye_y - face.brow_height
    for sign in (-1.0, 1.0):
        shape = curve([(0.22, y + inner), (0.48, y + middle), (0.74, y + outer)]) * (sign, 1.0)
        canvas.stroke(shape, hair.tone(0.2), 0.065, alpha)


# --- nose, mouth, glasses --------------------------------------------------------------------------------------------


def draw_nose(canvas: Canvas, face: Face) -> None:
    """A nose, which is hardly there."""
    line, shade, _, light, _ = face.skin
    y, away = face.mouth_y - 0.22, -face.light
    if face.nose == "dot":
        canvas.fill(ellipse(0.0, y, 0.03, 0.022, 10), line, 0.8, depth=1.25)
    elif face.nose == "line":
        canvas.stroke(curve([(away * 0.02, y - 0.1), (away * 0.05, y), (0.0, y + 0.02)]), line, 0.035, 0.7, depth=1.25)
    elif face.nose == "shade":
        canvas.fill(
            np.array([(0.0, y - 0.12), (away * 0.07, y + 0.02), (0.0, y + 0.03)]), mix(shade, line, 0.3), depth=1.25
        )
    if face.nose != "none":
        canvas.glow(face.light * 0.03, y - 0.05, 0.04, 0.06, light, 0.6, depth=1.25)


# A mouth's line, or None; an open mouth's outline, or None. x and y about the mouth's middle.
MOUTH_LINES: dict[str, list[tuple[float, float]]] = {
    "smile": [(-0.17, -0.03), (-0.08, 0.02), (0.0, 0.035), (0.08, 0.02), (0.17, -0.03)],
    "flat": [(-0.12, 0.0), (0.0, 0.008), (0.12, 0.0)],
    "tiny": [(-0.06, 0.0), (0.0, 0.02), (0.06, 0.0)],
    "frown": [(-0.11, 0.03), (0.0, -0.01), (0.11, 0.03)],
    "cat": [(-0.17, -0.03), (-0.09, 0.03), (0.0, -0.02), (0.09, 0.03), (0.17, -0.03)],
}
MOUTH_HOLES: dict[str, list[tuple[float, float]]] = {
    "open": [(-0.18, -0.05), (0.0, -0.02), (0.18, -0.05), (0.12, 0.12), (0.0, 0.18), (-0.12, 0.12)],
    "grin": [(-0.22, -0.05), (0.0, -0.02), (0.22, -0.05), (0.12, 0.07), (0.0, 0.095), (-0.12, 0.07)],
    "small-o": [(-0.06, -0.02), (0.0, -0.04), (0.06, -0.02), (0.05, 0.05), (0.0, 0.075), (-0.05, 0.05)],
    "fang": [(-0.15, -0.04), (0.0, -0.02), (0.15, -0.04), (0.09, 0.08), (0.0, 0.11), (-0.09, 0.08)],
}


def draw_mouth(canvas: Canvas, face: Face) -> None:
    """The mouth."""
    line, shade, _, _, _ = face.skin
    at, size = np.array([0.0, face.mouth_y]), np.array([face.mouth_width, 1.0])
    dark = mix(line, MOUTH_DARK, 0.4)
    if face.mouth in MOUTH_LINES:
        canvas.stroke(curve(MOUTH_LINES[face.mouth]) * size + at, dark, 0.045, depth=1.15)
        canvas.stroke(np.array([(-0.06, 0.10), (0.0, 0.105), (0.06, 0.10)]) + at, shade, 0.04, depth=1.15)
        return
    hole = np.array(MOUTH_HOLES[face.mouth]) * size
    rounded = np.concatenate([hole[:3], curve(hole[[2, 3, 4, 5, 0]])])
    canvas.fill(rounded + at, MOUTH_DARK, depth=1.15)
    bottom = float(hole[4, 1])
    tongue = ellipse(0.0, bottom * 0.78, float(hole[2, 0]) * 0.55, bottom * 0.32, 14)
    tongue[:, 1] = np.minimum(tongue[:, 1], bottom * 0.93)
    canvas.fill(tongue + at, TONGUE, depth=1.15)
    if face.mouth == "grin":
        teeth = np.array(
            [hole[0] * 0.85, hole[1], hole[2] * 0.85, (hole[2, 0] * 0.7, 0.015), (hole[0, 0] * 0.7, 0.015)]
        )
        canvas.fill(teeth + at, WHITE, depth=1.15)
    if face.mouth == "fang":
        x = face.trinket_side * 0.08
        canvas.fill(np.array([(x - 0.03, -0.03), (x + 0.03, -0.03), (x, 0.045)]) + at, WHITE, depth=1.15)
    canvas.outline(rounded + at, mix(dark, BLACK, 0.2), 0.02, depth=1.15)


def draw_mark(canvas: Canvas, face: Face) -> None:
    """What a few have on a cheek."""
    line, _, base, light, _ = face.skin
    side = face.trinket_side
    if face.mark == "mole":
        canvas.fill(ellipse(side * 0.40, face.eye_y + 0.46, 0.026, 0.026, 8), mix(line, BLACK, 0.5))
    elif face.mark == "freckles":
        for x, y in ((-0.52, 0.46), (-0.42, 0.50), (-0.62, 0.50), (0.52, 0.46), (0.42, 0.50), (0.62, 0.50)):
            canvas.fill(ellipse(x, y, 0.022, 0.018, 8), line, 0.6)
    elif face.mark == "plaster":
        strip = np.array([(0.38, 0.46), (0.68, 0.36), (0.72, 0.47), (0.42, 0.57)]) * (side, 1.0)
        canvas.fill(strip, mix(light, (240, 200, 140), 0.6))
        canvas.outline(strip, mix(line, base, 0.3), 0.02)


def draw_glasses(canvas: Canvas, face: Face) -> None:
    """Glasses, with a glint on each lens."""
    if not face.glasses:
        return
    frame = mix(face.trinket_colours[0], BLACK, 0.35)
    rx, ry = face.eye_width * 1.22, face.eye_height * (1.12 if face.glasses == "round" else 0.86)
    for sign in (-1.0, 1.0):
        x, y = sign * face.eye_apart, face.eye_y + 0.05
        rim = ellipse(x, y, rx, ry, 28)
        canvas.fill(rim, WHITE, 0.10, depth=1.1)
        glint = np.array(
            [(x - 0.16, y + ry * 0.5), (x - 0.04, y - ry * 0.7), (x + 0.04, y - ry * 0.7), (x - 0.08, y + ry * 0.5)]
        )
        canvas.fill(glint, WHITE, 0.25, depth=1.1)
        drawn = rim[0:15] if face.glasses == "half" else np.concatenate([rim, rim[:2]])
        canvas.line(drawn, frame, 0.038, depth=1.1)
        canvas.line(np.array([(x + sign * rx, y - 0.04), (sign * 1.02, -0.02)]), frame, 0.035, depth=1.0)
    inner = face.eye_apart - rx
    canvas.stroke(
        curve([(-inner - 0.03, face.eye_y + 0.02), (0.0, face.eye_y - 0.03), (inner + 0.03, face.eye_y + 0.02)]),
        frame,
        0.06,
        depth=1.15,
    )
