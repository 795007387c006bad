def _bands(tile: Image.Image, colour: Colour, period: int, width: int, upright: bool) -> None:
    draw = ImageDraw.Draw(tile)
    for at in range(0, _FINE, period):
        end = at + width - 1
        box = (at, 0, end, _FINE) if upright else (0, at, _FINE, end)
        draw.rectangle(box, fill=colour)


def _wrapped(x: float, y: float, reach: float, motif: Callable[[float, float], object]) -> None:
    """Draw a motif at (x, y) and again wherever it crosses the tile's edge."""
    for dx in (-_FINE, 0, _FINE):
        for dy in (-_FINE, 0, _FINE):
            if -reach < x + dx < _FINE + reach and -reach < y + dy < _FINE + reach:
                motif(x + dx, y + dy)


def _spots(chance: random.Random, count: int, distance: float) -> list[tuple[float, float]]:
    """`count` places on the tile at most, none nearer to another than `distance`."""
    spots: list[tuple[float, float]] = []
    for _ in range(count * 6):
        x, y = chance.uniform(0, _FINE), chance.uniform(0, _FINE)
        gaps = (
            math.hypot(min(abs(x - u), _FINE - abs(x - u)), min(abs(y - v), _FINE - abs(y - v)))
            for u, v in spots
        )
        if all(gap >= distance for gap in gaps):
            spots.append((x, y))
        if len(spots) == count:
            break
    return spots


def _stripes(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (32, 64, 128)[fabric.size]
    _bands(tile, fabric.accent, period, period // 2, upright=False)
    if chance.random() < 0.4:
        _bands(tile, fabric.third, period, period // 8, upright=False)


def _breton(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (32, 64, 64)[fabric.size]
    _bands(tile, fabric.accent, period, period // 4, upright=False)


def _pinstripe(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (16, 32, 64)[fabric.size]
    _bands(tile, fabric.accent, period, max(period // 8, 3), upright=True)


def _diagonal(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    period = (32, 64, 128)[fabric.size]
    slope = chance.choice((1, -1))
    for at in range(-_FINE, 2 * _FINE, period):
        ends = ((at, 0), (at + slope * _FINE, _FINE))
        draw.line(ends, fill=fabric.accent, width=period * 5 // 16)


def _gingham(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (32, 64, 64)[fabric.size]
    half = shade(fabric.base, 1.0)
    middle: Colour = tuple((a + b) // 2 for a, b in zip(half, fabric.accent, strict=True))  # type: ignore[assignment]
    _bands(tile, middle, period, period // 2, upright=True)
    _bands(tile, middle, period, period // 2, upright=False)
    draw = ImageDraw.Draw(tile)
    for x in range(0, _FINE, period):
        for y in range(0, _FINE, period):
            draw.rectangle((x, y, x + period // 2 - 1, y + period // 2 - 1), fill=fabric.accent)


def _tartan(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (64, 128, 128)[fabric.size]
    for upright in (True, False):
        layer = tile.copy()
        _bands(layer, fabric.accent, period, period // 3, upright)
        draw = ImageDraw.Draw(layer)
        for at in range(period // 2, _FINE, period):
            for offset, colour in ((0, fabric.third), (period // 6, shade(fabric.base, 0.6))):
                lo, hi = at + offset, at + offset + max(period // 24, 3)
                draw.rectangle((lo, 0, hi, _FINE) if upright else (0, lo, _FINE, hi), fill=colour)
        tile.paste(Image.blend(tile, layer, 0.55))


def _dots(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    period = (32, 64, 128)[fabric.size]
    radius = period * chance.choice((0.16, 0.24, 0.3))
    for row, y in enumerate(range(0, _FINE + 1, period // 2)):
        for x in range(-(row % 2) * period // 2, _FINE + period, period):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fabric.accent)


def _floral(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    reach = (17, 25, 38)[fabric.size]
    leaf = _hsv(0.33 + chance.uniform(-0.08, 0.08), 0.4, 0.5)

    def disc(x: float, y: float, radius: float, colour: Colour) -> None:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    for x, y in _spots(chance, 40, reach * 1.9):
        turn, petals = chance.uniform(0, 2), chance.choice((5, 5, 6))
        colour = fabric.accent if chance.random() < 0.7 else fabric.third

        def flower(
            u: float, v: float, turn: float = turn, petals: int = petals, colour: Colour = colour
        ) -> None:
            for side in (0.9, 2.6):
                disc(
                    u + reach * 0.85 * math.cos(turn + side),
                    v + reach * 0.85 * math.sin(turn + side),
                    reach * 0.22,
                    leaf,
                )
            for i in range(petals):
                a = turn + 2 * math.pi * i / petals
                disc(
                    u + reach * 0.42 * math.cos(a),
                    v + reach * 0.42 * math.sin(a),
                    reach * 0.3,
                    colour,
                )
            disc(u, v, reach * 0.22, shade(colour, 0.55))

        _wrapped(x, y, reach, flower)


def _leaves(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    for shade_of in (fabric.accent, fabric.third, shade(fabric.base, 0.7)):
        for x, y in _spots(chance, 14, 44):
            a, length = chance.uniform(0, 6.28), chance.uniform(18, 40)

            def leaf(
                u: float, v: float, a: float = a, length: float = length, colour: Colour = shade_of
            ) -> None:
                dx, dy = math.cos(a) * length, math.sin(a) * length
                draw.polygon(
                    [
                        (u - dx, v - dy),
                        (u - dy * 0.4, v + dx * 0.4),
                        (u + dx, v + dy),
                        (u + dy * 0.4, v - dx * 0.4),
                    ],
                    fill=colour,
                )

            _wrapped(x, y, 44, leaf)


def _leopard(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    dark = shade(fabric.base, 0.35)
    reach = (12, 16, 22)[fabric.size]
    for x, y in _spots(chance, 60, reach * 2.1):
        start, rx, ry = chance.randrange(360), chance.uniform(0.7, 1.1), chance.uniform(0.7, 1.1)

        def rosette(u: float, v: float, start: int = start, rx: float = rx, ry: float = ry) -> None:
            box = (u - reach * rx, v - reach * ry, u + reach * rx, v + reach * ry)
            draw.ellipse(box, fill=shade(fabric.base, 0.75))
            draw.arc(box, start, start + 150, fill=dark, width=reach // 2)
            draw.arc(box, start + 190, start + 310, fill=dark, width=reach // 2)

        _wrapped(x, y, reach * 1.2, rosette)


def _scatter(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    for x, y in _spots(chance, 50, 30):
        a, colour = chance.uniform(0, 3.14), chance.choice((fabric.accent, fabric.third))

        def dash(u: float, v: float, a: float = a, colour: Colour = colour) -> None:
            dx, dy = math.cos(a) * 13, math.sin(a) * 13
            draw.line((u - dx, v - dy, u + dx, v + dy), fill=colour, width=8)

        _wrapped(x, y, 20, dash)


def _chevron(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    period = (32, 64, 64)[fabric.size]
    for at in range(-_FINE // 2, _FINE + period, period):
        points = [(x * 32, at + (0 if x % 2 else 32)) for x in range(-1, _FINE // 32 + 2)]
        draw.line(points, fill=fabric.accent, width=period * 3 // 8)


def _argyle(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    step = (32, 64, 64)[fabric.size]
    for i, x in enumerate(range(0, _FINE + 1, step)):
        for y in range(0, _FINE + 1, 2 * step):
            colour = fabric.accent if i % 2 else fabric.third
            v = y + step * (i % 2)
            draw.polygon(
                [(x - step // 2, v), (x, v - step), (x + step // 2, v), (x, v + step)], fill=colour
            )
    for at in range(-_FINE, 2 * _FINE, step):
        draw.line((at, 0, at + _FINE // 2, _FINE), fill=shade(fabric.base, 1.6), width=3)
        draw.line((at, 0, at - _FINE // 2, _FINE), fill=shade(fabric.base, 1.6), width=3)


def _knit(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    dark = shade(fabric.base, 0.7)
    for y in range(-16, _FINE + 16, 16):
        for x in range(0, _FINE, 16):
            draw.line((x, y, x + 8, y + 9, x + 16, y), fill=dark, width=4)
    if fabric.size == 2:
        for y in range(24, _FINE, 128):
            for x in range(0, _FINE, 32):
                draw.polygon(
                    [(x, y + 16), (x + 16, y), (x + 32, y + 16), (x + 16, y + 32)],
                    fill=fabric.accent,
                )


def _heather(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    flecks = Image.frombytes("L", (TILE, _FINE), chance.randbytes(TILE * _FINE))
    mask = flecks.resize(tile.size).point([140 if v > 200 else 0 for v in range(256)])
    tile.paste(shade(fabric.base, 1.7), (0, 0), mask)


def _denim(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    for at in range(-_FINE, _FINE, 8):
        draw.line((at, 0, at + _FINE, _FINE), fill=shade(fabric.base, 0.86), width=3)
    flecks = Image.frombytes("L", (TILE, TILE // 8), chance.randbytes(TILE * TILE // 8))
    tile.paste(fabric.accent, (0, 0), flecks.resize(tile.size).point([v // 4 for v in range(256)]))


PATTERNS: Final[dict[str, Callable[[Image.Image, Fabric, random.Random], None]]] = {
    "stripes": _stripes,
    "breton": _breton,
    "pinstripe": _pinstripe,
    "diagonal": _diagonal,
    "gingham": _gingham,
    "tartan": _tartan,
    "dots": _dots,
    "floral": _floral,
    "leaves": _leaves,
    "leopard": _leopard,
    "scatter": _scatter,
    "chevron": _chevron,
    "argyle": _argyle,
    "knit": _knit,
    "heather": _heather,
    "denim": _denim,
}
