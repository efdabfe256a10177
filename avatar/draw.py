"""Draws the default portrait, its mask and nothing else: `python avatar/draw.py` (needs skia-python 144 and numpy).

All lengths are pixels of the finished 720 x 1280 picture; x is counted from the
middle of the face, so that what is symmetric is written once. The picture is
drawn at twice its size and scaled down.
"""

import argparse
from pathlib import Path

import numpy as np
import skia

WIDTH, HEIGHT = 720, 1280
FINER = 2
MIDDLE = 360  # x of the face's axis
rng = np.random.default_rng(7)


# --- Tools -----------------------------------------------------------------


def colour(text, alpha=1.0):
    """"#rrggbb" and an opacity."""
    r, g, b = (int(text[i:i + 2], 16) for i in (1, 3, 5))
    return skia.Color(r, g, b, int(round(alpha * 255)))


def between(a, b, t):
    """The colour t of the way from a to b."""
    x, y = (np.array([int(c[i:i + 2], 16) for i in (1, 3, 5)]) for c in (a, b))
    return "#%02x%02x%02x" % tuple(int(round(v)) for v in x + (y - x) * t)


def smooth(points, closed=True):
    """A path through the points, as Catmull and Rom would draw it."""
    p = [np.array((MIDDLE + x, y), float) for x, y in points]
    n = len(p)
    path = skia.Path()
    path.moveTo(*p[0])
    for i in range(n if closed else n - 1):
        a, b, c, d = (p[(i + k) % n] if closed else p[min(max(i + k, 0), n - 1)] for k in (-1, 0, 1, 2))
        path.cubicTo(*(b + (c - a) / 6), *(c - (d - b) / 6), *c)
    if closed:
        path.close()
    return path


def polygon(points):
    path = skia.Path()
    path.addPoly([skia.Point(MIDDLE + x, y) for x, y in points], True)
    return path


def mirrored(right):
    """Points of a whole outline from those of its right half, given from top to bottom."""
    return right + [(-x, y) for x, y in reversed(right) if x != 0]


def flip(points):
    return [(-x, y) for x, y in points]


def sample(points, count):
    """`count` points along the smooth open curve through `points`, evenly spread: [count, 2]."""
    p = np.array(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, len(points) - 1, 40 * len(points))
    i = np.minimum(t.astype(int), len(points) - 2)
    u = (t - i)[:, None]
    a, b, c, d = p[i], p[i + 1], p[i + 2], p[i + 3]
    curve = 0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3)
    way = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])
    at = np.linspace(0, way[-1], count)
    return np.stack([np.interp(at, way, curve[:, k]) for k in (0, 1)], axis=1)


def linear(start, end, stops):
    """A gradient shader from `start` to `end`; stops are (position, colour[, alpha])."""
    return skia.GradientShader.MakeLinear(
        points=[skia.Point(MIDDLE + start[0], start[1]), skia.Point(MIDDLE + end[0], end[1])],
        colors=[colour(*s[1:]) for s in stops], positions=[s[0] for s in stops])


def radial(middle, radius, stops):
    return skia.GradientShader.MakeRadial(
        center=skia.Point(MIDDLE + middle[0], middle[1]), radius=radius,
        colors=[colour(*s[1:]) for s in stops], positions=[s[0] for s in stops])


def paint(fill=None, alpha=1.0, blur=0.0, shader=None, stroke=0.0, mode=None):
    p = skia.Paint(AntiAlias=True)
    if fill is not None:
        p.setColor(colour(fill, alpha))
    if shader is not None:
        p.setShader(shader)
        p.setAlphaf(alpha)
    if blur:
        p.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
    if stroke:
        p.setStyle(skia.Paint.kStroke_Style)
        p.setStrokeWidth(stroke)
        p.setStrokeCap(skia.Paint.kRound_Cap)
        p.setStrokeJoin(skia.Paint.kRound_Join)
    if mode is not None:
        p.setBlendMode(mode)
    return p


MULTIPLY, SCREEN, SOFT_LIGHT = skia.BlendMode.kMultiply, skia.BlendMode.kScreen, skia.BlendMode.kSoftLight


class Clip:
    """Inside `with Clip(canvas, path):` only what lies in the path is painted."""

    def __init__(self, canvas, path):
        self.canvas, self.path = canvas, path

    def __enter__(self):
        self.canvas.save()
        self.canvas.clipPath(self.path, True)

    def __exit__(self, *_):
        self.canvas.restore()


def oval(x, y, rx, ry, turn=0.0):
    """An ellipse; `turn` in degrees, clockwise."""
    path = skia.Path()
    path.addOval(skia.Rect(MIDDLE + x - rx, y - ry, MIDDLE + x + rx, y + ry))
    if turn:
        path.transform(skia.Matrix().setRotate(turn, MIDDLE + x, y))
    return path


def taper(canvas, points, widths, fill, alpha=1.0, blur=0.0):
    """A brush stroke along `points` whose full width changes along `widths`."""
    p = sample(points, 48)
    w = np.interp(np.linspace(0, 1, 48), np.linspace(0, 1, len(widths)), widths) / 2
    along = np.gradient(p, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    outline = np.vstack([p + across * w[:, None], (p - across * w[:, None])[::-1]])
    canvas.drawPath(polygon(outline.tolist()), paint(fill, alpha, blur))


# --- Colours ---------------------------------------------------------------

SKIN = {"light": "#fbdcc4", "base": "#f0c3a3", "warm": "#e8a887", "shade": "#cf9474", "deep": "#a96a52", "blush": "#e58372"}
HAIR = {"deep": "#24130d", "dark": "#3a2016", "base": "#532f1f", "warm": "#7a4a2c", "light": "#a86f42", "shine": "#d7a06a"}
LIPS = {"line": "#7d3337", "upper": "#bf6664", "lower": "#d07c76", "light": "#f0b0a6"}
CLOTH = {"dark": "#16263a", "base": "#223a55", "light": "#35557a", "rim": "#5f86ab"}
BLOUSE = {"base": "#f6f1ea", "shade": "#d3c8bf", "deep": "#a89a95"}

FACE_HALF = [(0, 318), (82, 334), (128, 392), (144, 462), (145, 528), (139, 586), (122, 642), (92, 690), (50, 722), (0, 734)]
EYE = (73, 504)  # middle of the right eye


# --- Background ------------------------------------------------------------


def background(canvas):
    everything = skia.Path()
    everything.addRect(skia.Rect(0, 0, WIDTH, HEIGHT))
    canvas.drawPath(everything, paint(shader=linear((0, 0), (0, HEIGHT), [(0, "#dfe6e6"), (0.45, "#d5dcd9"), (0.7, "#b9b3a6"), (1, "#94826f")])))
    layer = skia.Paint(ImageFilter=skia.ImageFilters.Blur(15, 15))
    canvas.saveLayer(None, layer)
    # A tall window front with daylight behind it, on the left.
    for i, x in enumerate((-420, -270, -120)):
        pane = polygon([(x, -60), (x + 128, -40), (x + 128, 760), (x, 800)])
        canvas.drawPath(pane, paint(shader=linear((x, 0), (x, 800), [(0, "#f6fafa"), (0.5, "#e9f2f2"), (0.8, "#cfdfd8"), (1, "#a9bfae")])))
        canvas.drawPath(oval(x + 64, 720 + 20 * i, 100, 90), paint("#7fa083", 0.55))
        canvas.drawPath(oval(x + 30, 640 + 30 * i, 60, 70), paint("#9ab89a", 0.5))
    # A warm wall with a lamp and a shelf, on the right.
    wall = polygon([(70, -60), (460, -60), (460, 1400), (70, 1400)])
    canvas.drawPath(wall, paint(shader=linear((60, 0), (400, 900), [(0, "#e6d7c2"), (0.5, "#cfb597"), (1, "#a88a6c")])))
    canvas.drawPath(polygon([(62, -60), (80, -60), (80, 1000), (62, 1000)]), paint("#b59f86", 0.8))
    for y in (250, 420, 590):
        canvas.drawPath(polygon([(205, y), (420, y - 6), (420, y + 8), (205, y + 12)]), paint("#8a6a4e", 0.85))
    for x, y, w, h, c in [(222, 180, 26, 68, "#5f7f86"), (252, 196, 20, 54, "#c9825b"), (276, 172, 24, 76, "#e9dfd0"), (305, 190, 40, 60, "#6d8a6b"),
                          (230, 356, 60, 62, "#e3c9a1"), (300, 342, 22, 76, "#3f5d70"), (326, 350, 20, 68, "#a65f4a"), (226, 520, 24, 68, "#d9c8ad"), (256, 530, 70, 56, "#7d9a7a")]:
        canvas.drawPath(polygon([(x, y), (x + w, y), (x + w, y + h), (x, y + h)]), paint(c, 0.9))
    canvas.restore()
    canvas.saveLayer(None, skia.Paint(ImageFilter=skia.ImageFilters.Blur(24, 24)))
    # The reception desk, and a plant on it.
    canvas.drawPath(polygon([(-420, 905), (420, 880), (420, 960), (-420, 985)]), paint("#8d6b4f"))
    canvas.drawPath(polygon([(-420, 960), (420, 935), (420, 1400), (-420, 1400)]), paint("#5d4636"))
    for x, y, rx, ry, turn, c in [(-300, 700, 26, 120, -18, "#5e8560"), (-262, 690, 24, 130, 8, "#719a6b"), (-330, 740, 26, 110, -38, "#4c7355"),
                                  (-235, 735, 22, 105, 30, "#557f5c"), (-285, 780, 30, 90, -4, "#87ad78")]:
        canvas.drawPath(oval(x, y, rx, ry, turn), paint(c, 0.9))
    canvas.drawPath(polygon([(-330, 830), (-235, 830), (-248, 930), (-318, 930)]), paint("#d9cfc2"))
    canvas.restore()
    # Discs of light, out of focus.
    for x, y, r, a, c in [(150, 110, 44, 0.30, "#fff3d6"), (235, 70, 30, 0.34, "#ffe9bf"), (305, 130, 38, 0.24, "#fff0cf"), (110, 210, 24, 0.22, "#fff6e0"),
                          (-300, 170, 52, 0.28, "#ffffff"), (-220, 90, 34, 0.26, "#ffffff"), (-180, 240, 26, 0.2, "#ffffff"), (330, 700, 30, 0.14, "#ffe2b0")]:
        canvas.drawPath(oval(x, y, r, r), paint(c, a * 0.7, blur=3.5))
        canvas.drawPath(oval(x, y, r, r), paint(c, a * 0.45, blur=2, stroke=2.5))
    # Light from the upper left; the corners fall back.
    canvas.drawPath(everything, paint(shader=radial((-230, 160), 700, [(0, "#fff6e4", 0.55), (1, "#fff6e4", 0.0)]), mode=SCREEN))
    canvas.drawPath(everything, paint(shader=radial((0, 560), 900, [(0, "#000000", 0.0), (0.62, "#1a1410", 0.0), (1, "#1a1410", 0.42)])))


# --- Hair ------------------------------------------------------------------

# Each lock lies between two curves from the parting to its tip: the outer one begins at the crown,
# the inner one at the hairline and runs along the face.
LEFT_FRONT = (
    [(30, 234), (-22, 230), (-80, 246), (-132, 290), (-164, 362), (-179, 450), (-186, 545), (-200, 640), (-220, 728), (-218, 806), (-186, 864), (-140, 896), (-96, 898)],
    [(37, 338), (4, 345), (-42, 363), (-90, 396), (-123, 444), (-140, 505), (-143, 575), (-135, 640), (-126, 704), (-132, 764), (-132, 820), (-116, 866), (-90, 896)],
)
RIGHT_FRONT = (
    [(30, 234), (74, 234), (122, 258), (160, 314), (180, 396), (187, 490), (190, 580), (203, 676), (220, 756), (214, 822), (186, 866), (150, 886), (112, 880)],
    [(37, 338), (62, 343), (94, 366), (119, 404), (135, 454), (142, 515), (142, 585), (133, 650), (126, 712), (136, 770), (142, 816), (130, 856), (106, 880)],
)
PARTING = [(30, 236), (34, 285), (37, 340)]
BACK_HALF = [(0, 250), (80, 262), (150, 322), (182, 420), (190, 540), (200, 660), (212, 760), (196, 836), (130, 876), (60, 862), (0, 854)]


def strands(canvas, lock, count, shades, width=(0.8, 2.2), alpha=(0.2, 0.55), part=(0.0, 1.0), wave=3.0, over=0.0, blur=0.0):
    """Draws single hairs between the two curves of a lock, each over a part of its length."""
    outer, inner = (sample(side, 90) for side in lock)
    t = np.linspace(0, 1, 90)
    for _ in range(count):
        f = rng.uniform(-over, 1 + over)
        drift = rng.normal(0, 0.05)
        mix = np.clip(f + drift * t + 0.02 * np.sin(2 * np.pi * (t * rng.uniform(0.8, 1.8) + rng.random())), -over, 1 + over)[:, None]
        hair = outer * (1 - mix) + inner * mix
        hair[:, 0] += wave * t * np.sin(2 * np.pi * (t * 1.6 + 0.15 * f) + rng.normal(0, 0.25))
        length = rng.uniform(0.35, 1.0) * (part[1] - part[0])
        start = rng.uniform(part[0], part[1] - length)
        piece = hair[int(start * 89):max(int((start + length) * 89), int(start * 89) + 6) + 1]
        w = rng.uniform(*width)
        tone = shades[rng.integers(len(shades))]
        taper(canvas, piece[:: max(1, len(piece) // 12)].tolist(), [0.1, w, w, 0.1], tone, rng.uniform(*alpha), blur)


def shoulders():
    """Roughly the body, where hair may throw a shadow."""
    return smooth(mirrored([(0, 790), (84, 800), (150, 838), (232, 868), (296, 914), (334, 1000), (360, 1290), (0, 1300)]))


def lock_path(lock):
    outer, inner = (sample(side, 60) for side in lock)
    return polygon(outer.tolist() + inner[::-1].tolist())


def back_hair(canvas):
    shape = smooth(mirrored(BACK_HALF))
    canvas.drawPath(shape, paint(HAIR["deep"], 0.25, blur=8))
    canvas.drawPath(shape, paint(shader=linear((0, 260), (0, 890), [(0, HAIR["dark"]), (0.5, HAIR["deep"]), (1, HAIR["dark"])])))
    with Clip(canvas, shape):
        for side in (1, -1):
            lock = ([(side * x, y) for x, y in [(20, 600), (150, 640), (196, 720), (190, 800), (140, 880)]],
                    [(side * x, y) for x, y in [(0, 600), (60, 660), (80, 740), (70, 810), (40, 870)]])
            strands(canvas, lock, 160, [HAIR["dark"], HAIR["base"], HAIR["deep"]], alpha=(0.2, 0.5))


def front_hair(canvas):
    for lock, side in ((LEFT_FRONT, -1), (RIGHT_FRONT, 1)):
        light = 1.0 if side < 0 else 0.7
        shape = lock_path(lock)
        shadow = skia.Path(shape)
        shadow.offset(5, 12)
        with Clip(canvas, shoulders()):
            canvas.drawPath(shadow, paint("#0a0605", 0.5, blur=9))
        canvas.drawPath(shape, paint(shader=linear((0, 245), (0, 890), [
            (0, HAIR["base"]), (0.14, HAIR["base"]), (0.34, HAIR["dark"]), (0.55, HAIR["base"]), (0.8, HAIR["base"]), (1, HAIR["dark"])])))
        with Clip(canvas, shape):
            # Round: darker along the face and at the outer edge.
            taper(canvas, lock[1], [10, 26, 34, 34, 40, 40], HAIR["deep"], 0.75, blur=10)
            taper(canvas, lock[0][2:], [6, 22, 26, 26], HAIR["deep"], 0.5, blur=10)
        strands(canvas, lock, 260, [HAIR["deep"], HAIR["dark"]], alpha=(0.2, 0.5), width=(1.0, 2.6))
        strands(canvas, lock, 260, [HAIR["base"], HAIR["warm"]], alpha=(0.15, 0.45))
        # The shine: one band over the crown, one where the lock turns below the cheek.
        strands(canvas, lock, int(170 * light), [HAIR["warm"], HAIR["light"]], alpha=(0.12, 0.4), part=(0.08, 0.36))
        strands(canvas, lock, int(110 * light), [HAIR["light"], HAIR["shine"]], alpha=(0.10, 0.38), part=(0.12, 0.31), width=(0.6, 1.5))
        strands(canvas, lock, int(150 * light), [HAIR["warm"], HAIR["light"]], alpha=(0.10, 0.38), part=(0.60, 0.88))
        strands(canvas, lock, int(50 * light), [HAIR["light"], HAIR["shine"]], alpha=(0.10, 0.30), part=(0.66, 0.82), width=(0.6, 1.2))
        # A few that leave the lock, and the window's light on the outer ones.
        strands(canvas, lock, 22, [HAIR["base"], HAIR["warm"]], alpha=(0.2, 0.45), width=(0.5, 0.9), over=0.06, wave=5, part=(0.3, 1.0))
        rim = (lock[0][3:9], [(x - side * 7, y + 2) for x, y in lock[0][3:9]])
        strands(canvas, rim, int(60 * light), ["#e9c79c", HAIR["shine"]], alpha=(0.06, 0.26), width=(0.5, 1.3))
    taper(canvas, PARTING, [0.6, 1.6, 2.6], SKIN["shade"], 0.75, blur=0.8)
    for x, y in sample(PARTING, 26):
        for side in (-1, 1):
            taper(canvas, [(x, y), (x + side * rng.uniform(5, 9), y - rng.uniform(0, 3)), (x + side * rng.uniform(12, 22), y + rng.uniform(-2, 4))], [0.3, 1.8, 0.3], HAIR["deep"], rng.uniform(0.25, 0.6))


# --- Body ------------------------------------------------------------------

NECK = [(-68, 640), (-68, 760), (-78, 822), (-130, 862), (-150, 980), (0, 1130), (150, 980), (130, 862), (78, 822), (68, 760), (68, 640)]


def body(canvas):
    neck = smooth(NECK)
    canvas.drawPath(neck, paint(shader=linear((-90, 0), (90, 0), [(0, SKIN["warm"]), (0.3, SKIN["base"]), (0.6, SKIN["base"]), (1, SKIN["shade"])])))
    with Clip(canvas, neck):
        # The chin's shadow, the throat, the collar bones.
        canvas.drawPath(smooth([(-100, 620), (100, 620), (96, 740), (40, 806), (0, 816), (-52, 800), (-96, 740)]), paint(SKIN["deep"], 0.62, blur=16, mode=MULTIPLY))
        canvas.drawPath(smooth([(-90, 640), (90, 640), (70, 720), (0, 762), (-70, 720)]), paint(SKIN["deep"], 0.5, blur=12, mode=MULTIPLY))
        canvas.drawPath(oval(60, 800, 22, 80, -8), paint(SKIN["deep"], 0.35, blur=14, mode=MULTIPLY))
        canvas.drawPath(oval(-70, 800, 14, 80, 8), paint(SKIN["deep"], 0.3, blur=12, mode=MULTIPLY))
        canvas.drawPath(oval(0, 876, 9, 10), paint(SKIN["shade"], 0.28, blur=7, mode=MULTIPLY))
        for side in (-1, 1):
            taper(canvas, [(side * 16, 880), (side * 60, 872), (side * 120, 856)], [3, 7, 2], SKIN["shade"], 0.55, blur=4)
            taper(canvas, [(side * 18, 872), (side * 60, 863), (side * 110, 848)], [2, 6, 2], SKIN["light"], 0.7, blur=3.5)
            taper(canvas, [(side * 30, 760), (side * 24, 820), (side * 12, 872)], [4, 10, 4], SKIN["light"] if side < 0 else SKIN["shade"], 0.3, blur=6)
    # Blouse: a soft V with a collar.
    for side in (-1, 1):
        flap = smooth([(side * x, y) for x, y in [(70, 836), (104, 838), (160, 900), (170, 1000), (120, 1200), (-4, 1320), (-3, 1020), (34, 950)]])
        canvas.drawPath(flap, paint(shader=linear((-side * 20, 860), (side * 160, 1100), [(0, BLOUSE["base"]), (0.6, BLOUSE["base"]), (1, BLOUSE["shade"])])))
        with Clip(canvas, flap):
            for k in range(5):
                taper(canvas, [(side * (20 + 16 * k), 990 + 24 * k), (side * (34 + 14 * k), 1100 + 16 * k), (side * (24 + 8 * k), 1290)], [1, 9, 2], BLOUSE["deep"], 0.16, blur=6)
        # The collar lies on top and throws a shadow.
        collar = [(side * x, y) for x, y in [(63, 806), (78, 800), (116, 836), (136, 900), (116, 986), (108, 992), (56, 1000), (14, 1032), (2, 1030), (30, 962), (52, 880)]]
        collar = np.vstack([sample(collar[:4] + [collar[4]], 30), sample(collar[5:8], 16), sample(collar[8:] + [collar[0]], 30)]).tolist()
        canvas.drawPath(polygon([(x + side * 3, y + 9) for x, y in collar]), paint("#5b4c4a", 0.4, blur=8))
        canvas.drawPath(polygon(collar), paint(shader=linear((side * 30, 850), (side * 140, 960), [(0, "#ffffff"), (0.55, BLOUSE["base"]), (1, BLOUSE["shade"])])))
        canvas.drawPath(polygon(collar), paint("#ffffff", 0.5, stroke=1.0))
        taper(canvas, [(side * x, y) for x, y in [(62, 812), (51, 884), (29, 965), (3, 1030)]], [2, 5, 5, 2], BLOUSE["deep"], 0.35, blur=2.5)
    canvas.drawPath(smooth([(-3, 1034), (3, 1034), (4, 1290), (-4, 1290)]), paint(BLOUSE["shade"], 0.8, blur=2))
    for y in (1100, 1180):
        canvas.drawPath(oval(2, y + 1.5, 6, 6), paint("#8d807c", 0.5, blur=2))
        canvas.drawPath(oval(0, y, 5.5, 5.5), paint(shader=radial((-2, y - 2), 8, [(0, "#ffffff"), (1, "#d9cfc6")])))
    # Blazer.
    for side in (-1, 1):
        light = side < 0
        sleeve = [(side * x, y) for x, y in [(96, 826), (150, 852), (232, 886), (296, 932), (332, 1010), (352, 1140), (372, 1330), (-10, 1330), (60, 1180), (110, 1060), (140, 940)]]
        jacket = smooth(sleeve)
        canvas.drawPath(jacket, paint(shader=linear((side * 60, 900), (side * 360, 1180), [(0, CLOTH["base"]), (0.45, CLOTH["light"] if light else CLOTH["base"]), (1, CLOTH["dark"])])))
        with Clip(canvas, jacket):
            taper(canvas, [(side * 150, 850), (side * 240, 884), (side * 305, 935), (side * 340, 1020)], [6, 14, 14, 6], CLOTH["rim"], 0.55 if light else 0.3, blur=7)
            taper(canvas, [(side * 262, 980), (side * 246, 1100), (side * 262, 1300)], [4, 16, 22], CLOTH["dark"], 0.8, blur=9)
            taper(canvas, [(side * 284, 1000), (side * 276, 1120), (side * 296, 1300)], [4, 12, 18], CLOTH["rim"], 0.18, blur=10)
            taper(canvas, [(side * 190, 1060), (side * 170, 1160), (side * 186, 1300)], [2, 16, 6], CLOTH["dark"], 0.4, blur=10)
        lapel = [(side * x, y) for x, y in [(86, 812), (112, 818), (150, 880), (186, 980), (150, 1004), (164, 1034), (110, 1170), (8, 1340), (-6, 1320), (52, 1170), (104, 1040), (128, 930)]]
        shape = polygon(np.vstack([sample(lapel[0:4], 30), lapel[4:6], sample(lapel[6:8], 20), sample(lapel[9:] + [lapel[0]], 40)]).tolist())
        moved = skia.Path(shape)
        moved.offset(side * 5, 9)
        with Clip(canvas, jacket):
            canvas.drawPath(moved, paint("#060c14", 0.6, blur=9))
        canvas.drawPath(shape, paint(shader=linear((side * 60, 860), (side * 190, 1080), [(0, CLOTH["light"] if light else CLOTH["base"]), (0.6, CLOTH["base"]), (1, CLOTH["dark"])])))
        canvas.drawPath(shape, paint(CLOTH["rim"], 0.35, stroke=1.2))
    badge(canvas, 214, 1112)


def badge(canvas, x, y):
    """A small badge with a mark: three waves, as sound has."""
    plate = skia.Path()
    plate.addRoundRect(skia.Rect(MIDDLE + x - 34, y - 19, MIDDLE + x + 34, y + 19), 7, 7)
    plate.transform(skia.Matrix().setRotate(3, MIDDLE + x, y))
    shadow = skia.Path(plate)
    shadow.offset(2, 5)
    canvas.drawPath(shadow, paint("#050a12", 0.55, blur=5))
    canvas.drawPath(plate, paint(shader=linear((x - 30, y - 20), (x + 30, y + 20), [(0, "#ffffff"), (0.6, "#eceff1"), (1, "#cfd6da")])))
    canvas.drawPath(plate, paint("#8fa0ad", 0.7, stroke=1.0))
    for k, h in enumerate((5, 10, 14, 9, 6)):
        taper(canvas, [(x - 16 + 8 * k, y - h + 0.4 * k), (x - 16 + 8 * k, y + 0.4 * k), (x - 16 + 8 * k, y + h + 0.4 * k)], [3.2, 3.2, 3.2], "#2b8a86", 1.0)


# --- Face ------------------------------------------------------------------


def face_shape():
    return smooth(mirrored(FACE_HALF))


def skin(canvas):
    shape = face_shape()
    canvas.drawPath(shape, paint(shader=radial((-38, 500), 300, [(0, SKIN["light"]), (0.35, "#f6cfb3"), (0.68, SKIN["base"]), (1, SKIN["warm"])])))
    with Clip(canvas, shape):
        # The side away from the light, and the turn of the jaw.
        canvas.drawPath(smooth([(150, 330), (118, 420), (122, 540), (112, 640), (60, 716), (0, 740), (60, 780), (200, 700), (200, 330)]), paint(SKIN["shade"], 0.60, blur=18, mode=MULTIPLY))
        canvas.drawPath(smooth([(-160, 330), (-136, 440), (-140, 560), (-118, 650), (-60, 720), (0, 738), (-70, 780), (-200, 700), (-200, 330)]), paint(SKIN["shade"], 0.5, blur=12, mode=MULTIPLY))
        # Hollow of the cheek; blush.
        canvas.drawPath(smooth([(134, 560), (96, 610), (84, 660), (112, 650)]), paint(SKIN["shade"], 0.35, blur=14, mode=MULTIPLY))
        canvas.drawPath(smooth([(-136, 560), (-104, 612), (-90, 660), (-116, 648)]), paint(SKIN["shade"], 0.25, blur=14, mode=MULTIPLY))
        for side in (-1, 1):
            canvas.drawPath(oval(side * 92, 582, 40, 26, side * -18), paint(SKIN["blush"], 0.26, blur=18))
            canvas.drawPath(oval(side * 84, 556, 34, 11, side * -14), paint("#fff0e2", 0.38 if side < 0 else 0.2, blur=10))
        # Forehead, chin.
        canvas.drawPath(oval(-28, 420, 62, 34), paint("#fff0e0", 0.40, blur=22))
        canvas.drawPath(oval(-4, 708, 24, 12), paint("#fff0e0", 0.35, blur=9))
        canvas.drawPath(oval(0, 684, 34, 7), paint(SKIN["shade"], 0.6, blur=6, mode=MULTIPLY))


def nose(canvas):
    # Sides of the bridge run into the inner corners of the eyes.
    taper(canvas, [(27, 470), (20, 500), (17, 540), (22, 572)], [12, 14, 12, 6], SKIN["shade"], 0.55, blur=7)
    taper(canvas, [(-27, 470), (-21, 500), (-18, 540), (-24, 572)], [10, 10, 8, 5], SKIN["shade"], 0.35, blur=6)
    taper(canvas, [(-3, 462), (-3, 510), (-3, 556)], [9, 8, 12], "#fff4e8", 0.55, blur=5)
    canvas.drawPath(oval(0, 582, 27, 19), paint(SKIN["warm"], 0.30, blur=8))
    canvas.drawPath(oval(-4, 578, 7, 5.5), paint("#fffaf2", 0.7, blur=4))
    for side in (-1, 1):
        # Wing and nostril.
        taper(canvas, [(side * 25, 573), (side * 30, 584), (side * 27, 596), (side * 19, 599)], [1, 3.0, 3, 1], SKIN["deep"], 0.5, blur=2.0)
        canvas.drawPath(oval(side * 21, 584, 8, 9), paint("#f8d3b8", 0.5 if side < 0 else 0.25, blur=4))
        canvas.drawPath(smooth([(side * x, y) for x, y in [(7, 599), (12, 594.5), (19, 595.5), (21, 599), (14, 600.5)]]), paint("#6b3329", 0.85, blur=1.2))
    taper(canvas, [(-19, 601), (-8, 603), (0, 605.5), (8, 603), (19, 601)], [2, 5, 6, 5, 2], SKIN["deep"], 0.5, blur=2.6)
    canvas.drawPath(oval(2, 612, 24, 7), paint(SKIN["shade"], 0.5, blur=6, mode=MULTIPLY))


# The right eye, from its outer to its inner corner.
UPPER_LID = [(110, 502), (100, 493), (85, 487.5), (69, 487), (54, 491.5), (44, 499), (36, 507.5)]
LOWER_LID = [(36, 507.5), (48, 513), (64, 517), (80, 517), (97, 512), (110, 502)]


FOLD = (72, 471.5)


def eye(canvas, side):
    lid = [(side * x, y) for x, y in UPPER_LID]
    low = [(side * x, y) for x, y in LOWER_LID]
    x, y = side * EYE[0], EYE[1] - 2
    opening = polygon(np.vstack([sample(lid, 60), sample(low, 60)]).tolist())
    # The socket.
    canvas.drawPath(smooth([(side * a, b) for a, b in [(114, 494), (96, 470), (66, 466), (40, 478), (32, 500), (50, 484), (80, 476)]]), paint(SKIN["shade"], 0.62, blur=7, mode=MULTIPLY))
    canvas.drawPath(oval(side * 74, 476, 30, 6, side * 4), paint("#ffeede", 0.3, blur=5))
    canvas.drawPath(oval(side * 72, 527, 34, 6, side * -4), paint(SKIN["shade"], 0.22, blur=5, mode=MULTIPLY))
    canvas.drawPath(oval(side * 74, 536, 36, 6, side * -6), paint("#fff0e2", 0.28 if side < 0 else 0.16, blur=6))
    canvas.drawPath(opening, paint(shader=linear((x, 482), (x, 522), [(0, "#d9cfcb"), (0.35, "#f4efec"), (1, "#fbf7f4")])))
    with Clip(canvas, opening):
        canvas.drawPath(oval(side * 38, 507, 7, 6), paint("#d99187", 0.8, blur=2.2))
        canvas.drawPath(oval(side * 107, 504, 12, 12), paint("#bda9a3", 0.5, blur=5))
        canvas.drawPath(oval(side * 46, 505, 10, 14), paint("#c9b5ae", 0.35, blur=5))
        r = 18.5
        iris = oval(x, y, r, r)
        canvas.drawPath(oval(x, y, r + 0.8, r + 0.8), paint("#2b1d16", 0.75, blur=1.2))
        canvas.drawPath(iris, paint(shader=radial((x, y), r, [(0, "#5b3a22"), (0.42, "#6f4a2a"), (0.75, "#85603a"), (0.92, "#4a3020"), (1, "#2c1c14")])))
        with Clip(canvas, iris):
            for angle in np.linspace(0, 2 * np.pi, 64, endpoint=False):
                a = angle + rng.normal(0, 0.03)
                r0, r1 = 8 + rng.uniform(0, 1.5), r - rng.uniform(1.5, 5)
                taper(canvas, [(x + r0 * np.cos(a), y + r0 * np.sin(a)), (x + r1 * np.cos(a), y + r1 * np.sin(a))], [0.3, 1.0, 0.2], "#c79a5e" if rng.random() < 0.6 else "#3b2415", rng.uniform(0.15, 0.45))
            canvas.drawPath(oval(x + 1, y + 9, 11, 7), paint("#d9ad6c", 0.55, blur=4))
        canvas.drawPath(oval(x, y, 7.6, 7.6), paint("#0e0907", 1, blur=0.7))
        # What the lid throws on the eye.
        canvas.drawPath(polygon(np.vstack([sample(lid, 60) + (0, -8), (sample(lid, 60) + (0, 6.5))[::-1]]).tolist()), paint("#3a211b", 0.55, blur=3.4))
        # Light from the upper left on both eyes, and a fainter reflection below.
        canvas.drawPath(oval(x - 5.5, y - 6.5, 4.6, 5.2), paint("#ffffff", 0.97, blur=0.6))
        canvas.drawPath(oval(x + 6.5, y + 7, 2.4, 2.2), paint("#ffffff", 0.6, blur=0.8))
        taper(canvas, [(side * 40, 510), (side * 64, 518), (side * 100, 511)], [1, 2.2, 1], "#f3c9bb", 0.8, blur=0.8)
        canvas.drawPath(oval(side * 39.5, 507, 3, 2.4), paint("#f6cdc2", 0.8, blur=1))
    # Lower lid: a soft line, darker outside, with a few lashes.
    taper(canvas, [(side * a, b) for a, b in [(52, 517), (66, 521), (82, 521), (98, 515), (108, 505)]], [0.6, 1.2, 1.6, 2.0, 1.6], "#7a4436", 0.55, blur=0.8)
    for k in np.linspace(0.5, 0.95, 8):
        a, b = np.interp(k, [0, 0.25, 0.5, 0.75, 1], [48, 64, 80, 96, 107]), np.interp(k, [0, 0.25, 0.5, 0.75, 1], [514, 520, 520, 515, 504])
        taper(canvas, [(side * a, b), (side * (a + 1.5 + 2 * k), b + 3.5), (side * (a + 3.5 + 3 * k), b + 5.0)], [0.8, 0.6, 0.1], "#3b211a", 0.3)
    # Fold of the upper lid.
    taper(canvas, [(side * a, b) for a, b in [(113, 490), (100, 480), (82, 474.5), (63, 475), (47, 483), (38, 494)]], [0.6, 2.0, 2.4, 2.2, 1.6, 0.4], "#8a5040", 0.65, blur=1.0)
    # Lash line and lashes.
    line = [(side * a, b) for a, b in [(117, 496)] + UPPER_LID]
    taper(canvas, line, [0.5, 4.2, 4.4, 3.8, 3.2, 2.4, 1.6, 0.7], "#21130e", 0.95, blur=0.5)
    curve = sample([(side * a, b) for a, b in UPPER_LID], 100)
    for k in np.linspace(2, 70, 15):
        px, py = curve[int(k)]
        out = 1 - k / 100
        length = 2.0 + 5.5 * out**1.5 + rng.normal(0, 0.3)
        dx, dy = side * (0.15 + 0.85 * out) * length, -(0.9 - 0.35 * out) * length
        taper(canvas, [(px, py), (px + 0.55 * dx, py + 0.35 * dy), (px + dx, py + dy)], [1.8, 1.2, 0.2], "#1d100c", 0.85)


def brow(canvas, side):
    line = [(side * a, b) for a, b in [(31, 457), (54, 446.5), (80, 441), (104, 446), (122, 460)]]
    taper(canvas, line, [8, 12.5, 10.5, 7, 1.5], HAIR["base"], 0.62, blur=2.4)
    middle = sample(line, 100)
    for _ in range(190):
        k = rng.random()
        px, py = middle[int(k * 99)]
        thick = np.interp(k, [0, 0.3, 0.7, 1], [11, 12, 8, 1.5])
        off = rng.uniform(-0.5, 0.5)
        rise = np.interp(k, [0, 0.25, 0.7, 1], [-1.15, -0.7, -0.12, 0.35]) + (0.45 if off < 0 else -0.1) * (k > 0.2)
        length = rng.uniform(8, 14) * np.interp(k, [0, 1], [0.9, 0.8])
        a = (px, py + off * thick)
        b = (a[0] + side * length * np.cos(rise), a[1] + length * np.sin(rise) - off * 3)
        taper(canvas, [a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 - 0.8), b], [0.4, 1.2, 0.2], HAIR["dark"], rng.uniform(0.12, 0.42))


# The closed, faintly smiling mouth.
MOUTH_LINE = [(-63, 637), (-48, 643.6), (-26, 649.2), (-9, 649.8), (0, 651.2), (9, 649.8), (26, 649.2), (48, 643.6), (63, 637)]
UPPER_LIP = [(-63, 637), (-40, 635), (-18, 631), (-7, 630.2), (0, 632.8), (7, 630.2), (18, 631), (40, 635), (63, 637)]
LOWER_LIP = [(-63, 637), (-47, 653), (-26, 666), (0, 670.5), (26, 666), (47, 653), (63, 637)]


def mouth(canvas):
    line = sample(MOUTH_LINE, 80)
    upper = polygon(np.vstack([sample(UPPER_LIP, 80), line[::-1]]).tolist())
    lower = polygon(np.vstack([line, sample(LOWER_LIP, 80)[::-1]]).tolist())
    canvas.drawPath(polygon(np.vstack([sample(UPPER_LIP, 80), sample(LOWER_LIP, 80)[::-1]]).tolist()), paint(LIPS["lower"], 0.45, blur=3.5))
    # The groove above, the shadow below.
    for side in (-1, 1):
        taper(canvas, [(side * 7, 609), (side * 8, 620), (side * 9, 630)], [2, 3, 2], SKIN["light"] if side < 0 else SKIN["shade"], 0.5, blur=2)
    canvas.drawPath(oval(0, 620, 5, 10), paint(SKIN["shade"], 0.4, blur=4, mode=MULTIPLY))
    canvas.drawPath(upper, paint(shader=linear((0, 630), (0, 650), [(0, "#cf7d76"), (0.5, LIPS["upper"]), (1, "#a9504f")])))
    canvas.drawPath(lower, paint(shader=linear((0, 648), (0, 671), [(0, "#b95f5d"), (0.3, LIPS["lower"]), (0.7, "#d6857d"), (1, "#c4716a")])))
    with Clip(canvas, lower):
        canvas.drawPath(oval(-10, 659, 22, 4.2), paint("#ffd9d0", 0.65, blur=3.2))
        canvas.drawPath(oval(16, 659, 14, 3), paint("#ffd9d0", 0.3, blur=3))
        for _ in range(46):
            a = rng.uniform(-44, 44)
            taper(canvas, [(a, 651), (a * 1.03, 659), (a * 1.02, 668)], [0.2, 0.9, 0.2], "#a34f4d" if rng.random() < 0.6 else "#f3b5aa", rng.uniform(0.08, 0.2))
    with Clip(canvas, upper):
        for _ in range(40):
            a = rng.uniform(-46, 46)
            taper(canvas, [(a, 648), (a * 0.98, 640), (a * 0.95, 632)], [0.2, 0.9, 0.2], "#8a3d3d", rng.uniform(0.08, 0.2))
    taper(canvas, UPPER_LIP[1:-1], [0.4, 1.4, 1.8, 1.4, 0.4], "#ffe4d6", 0.5, blur=1.0)
    taper(canvas, MOUTH_LINE, [0.6, 2.2, 2.4, 2.6, 2.6, 2.6, 2.4, 2.2, 0.6], LIPS["line"], 0.9, blur=0.7)
    for side in (-1, 1):
        canvas.drawPath(oval(side * 64, 637, 3.8, 2.6), paint(SKIN["deep"], 0.6, blur=2.2))
        taper(canvas, [(side * 65, 629), (side * 71, 637), (side * 70, 647)], [1, 3.4, 1], SKIN["shade"], 0.6, blur=2.6)
        # The cheek that the smile lifts.
        taper(canvas, [(side * 37, 594), (side * 57, 608), (side * 72, 630)], [2, 7, 2], SKIN["shade"], 0.5, blur=5)
        taper(canvas, [(side * 52, 596), (side * 68, 612), (side * 80, 632)], [4, 14, 4], SKIN["light"], 0.35, blur=8)
    canvas.drawPath(oval(0, 676, 28, 5), paint(SKIN["deep"], 0.45, blur=4.5, mode=MULTIPLY))


def face(canvas):
    skin(canvas)
    nose(canvas)
    mouth(canvas)
    for side in (-1, 1):
        eye(canvas, side)
        brow(canvas, side)
    # The hair's shadow on the skin.
    with Clip(canvas, face_shape()):
        for lock in (LEFT_FRONT, RIGHT_FRONT):
            shadow = lock_path(lock)
            shadow.offset(5, 10)
            canvas.drawPath(shadow, paint(SKIN["deep"], 0.75, blur=9, mode=MULTIPLY))


def draw():
    surface = skia.Surface(WIDTH * FINER, HEIGHT * FINER)
    canvas = surface.getCanvas()
    canvas.scale(FINER, FINER)
    background(canvas)
    back_hair(canvas)
    canvas.save()
    canvas.translate(0, -20)
    body(canvas)
    canvas.restore()
    face(canvas)
    front_hair(canvas)
    return surface.makeImageSnapshot()


def mask():
    """Where the skin goes with the jaw: from under the nose to the throat, softly."""
    surface = skia.Surface(WIDTH, HEIGHT)
    canvas = surface.getCanvas()
    canvas.clear(skia.ColorBLACK)
    # Narrow enough that neither hair nor collar moves.
    jaw = smooth([(-104, 560), (0, 588), (104, 560), (122, 640), (104, 700), (66, 748), (50, 800), (0, 812), (-50, 800), (-66, 748), (-104, 700), (-122, 640)])
    canvas.drawPath(jaw, paint("#ffffff", blur=13))
    return surface.makeImageSnapshot()


KEY_POINTS = """\
# Where the features of the portrait are, for the daemon to move them. Written by draw.py; to use
# another picture (PNG or JPEG, a drawing or a photograph of a face that looks straight on, with
# its mouth closed), give its points here. All are [x, y] in pixels from the upper left corner;
# left and right are the viewer's. A picture of another size is scaled until it covers the screen.

licence = "Apache-2.0, drawn for linly-edge"
picture = "portrait.png"
# As large as the picture: white where the skin goes with the jaw, black elsewhere, soft between.
mask = "mask.png"

[mouth]
# Where the lips meet, from corner to corner (at least three places).
line = {line}
# Middle of the upper lip's upper edge, of the lower lip's lower edge; the chin's lowest place.
top = {top}
bottom = {bottom}
chin = {chin}

# Without the two tables of eyes the portrait does not blink, as with glasses on.
[eyes.left]
# Edges of the lids from corner to corner (at least three places each).
upper = {left_upper}
lower = {left_lower}
# Skin just above the fold of the upper lid, in the middle of the eye.
fold = {left_fold}

[eyes.right]
upper = {right_upper}
lower = {right_lower}
fold = {right_fold}

[head]
# Middle of the head with its hair; half its width and height; where it turns on the neck.
middle = {middle}
radius = {radius}
pivot = {pivot}

# Optional: what a closed mouth and open eyes do not show, red, green, blue from 0 to 255.
[colour]
teeth = [246, 238, 230]
tongue = [184, 92, 92]
inside = [70, 24, 28]
lashes = [36, 22, 18]
"""


def key_points():
    def place(point):
        return f"[{MIDDLE + point[0]:g}, {point[1]:g}]"

    def places(points):
        points = sorted(points)
        return "[" + ", ".join(place(p) for p in points) + "]"

    eyes = {}
    for name, side in (("left", -1), ("right", 1)):
        eyes[f"{name}_upper"] = places([(side * x, y) for x, y in UPPER_LID])
        eyes[f"{name}_lower"] = places([(side * x, y) for x, y in LOWER_LID])
        eyes[f"{name}_fold"] = place((side * FOLD[0], FOLD[1]))
    return KEY_POINTS.format(
        line=places(MOUTH_LINE), top=place(UPPER_LIP[len(UPPER_LIP) // 2]), bottom=place(LOWER_LIP[len(LOWER_LIP) // 2]),
        chin=place(FACE_HALF[-1]), middle="[360, 540]", radius="[190, 280]", pivot="[360, 860]", **eyes)


def smaller(image):
    surface = skia.Surface(WIDTH, HEIGHT)
    sampling = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
    surface.getCanvas().drawImageRect(image, skia.Rect(0, 0, WIDTH, HEIGHT), sampling)
    return surface.makeImageSnapshot()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = arguments.parse_args()
    smaller(draw()).save(str(options.out / "portrait.png"), skia.kPNG)
    mask().makeColorSpace(skia.ColorSpace.MakeSRGB()).save(str(options.out / "mask.png"), skia.kPNG)
    (options.out / "portrait.toml").write_text(key_points())


if __name__ == "__main__":
    main()
