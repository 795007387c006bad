"""Annotation files that are wrong in realistic and in unexpected ways.

A file starts as a good annotation, held as keys and values so that a key can appear twice. A few
mutations change its structure. It is written with odd spacing and spelling and, sometimes, its
bytes are changed as well. All choices come from one `random.Random`.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

from df2_assets_tests.support.builder import CATEGORY_NAMES, item

Pairs = list[tuple[str, Any]]
"""An object as a list of keys and values."""


class Object(Pairs):
    """An object of its own type, which distinguishes it from a list."""


class Written(str):
    """JSON text to write unchanged: numbers and strings that `json.dumps` would not write."""


NUMBERS: Final = (
    *(0, 1, 2, 3, 4, 8, 13, 14, 99, 100, 127, 128, 255, 999_999, 1_000_000),
    *(2**15, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30),
    *(-1, -2, -(2**31), -(2**63), -(10**30), 1.0, 2.0, 1.5, -0.5, 1e16, 1e300, 5e-324),
)
_ODD_NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "nan", "1e400", "-1e400", "-0", "-0.0", "1E0", "10e-1"),
    *("1e0", "1.0000000000000000000001", "+1", "01", "1.", ".5", "0x1", "1_0", "\u0661"),
    *("1" * 400, "9" * 4301, "1e999999999", "--1", "1,", "1 2"),
)
ODD_NUMBERS: Final = tuple(map(Written, _ODD_NUMBERS))
TEXTS: Final = (
    *("", " ", "0", "1", "shop", "user", "Shop", "user ", "trousers", "skirt", "null", "a: b"),
    *("=1+1", "@SUM(A1)", "+1", "-1", "<script>alert(1)</script>", "{{ 7 * 7 }}", "${HOME}"),
    *("`id`", "../../../etc/passwd", "\x00", "\x1b[31mred\x1b[0m", "\r\n", "\u2028"),
    *("\u202eabc", "\ufeff", "é", "e\u0301", "日本", "\U0001f600", "a" * 5000, '"', "\\"),
    *("~~~~~~~~", "|"),
)
_ODD_TEXTS = (
    *(r'"\ud800"', r'"\udc00\ud800"', r'"\u0000"', r'"\x41"', r'"\u12"', "'shop'", '"open'),
    *('"a\nb"', '"tab\there"', '"\x7f"', r'"\/"', "shop", '"a" "b"', r'"\u0073hop"'),
)
ODD_TEXTS: Final = tuple(map(Written, _ODD_TEXTS))
KEYS: Final = (
    *("item0", "item01", "item10", "item999999", "item1000000", "item12345678901", "item-1"),
    *("item1.0", "item", "items", "itemX", "item 1", "Item1", "ITEM1", "item\uff11", "item1 "),
    *("item\u00b2", "source", "pair_id", "", "Source", "pair_id ", "__proto__", "$ref", "a:b"),
    *("é", "\x00"),
)
FIELDS: Final = tuple(item(1, 1, [0, 0, 9, 9]))
Mutation = Callable[[Object, Random], None]


def annotation(rng: Random, pair_id: int) -> tuple[str, bytes]:
    """Return what was done to a good annotation, and the bytes of the file."""
    top = _good(rng, pair_id)
    done = []
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        mutate = rng.choice(MUTATIONS)
        mutate(top, rng)
        done.append(mutate.__name__)
    text = _written(top, rng, rng.random() < 0.5)
    for wrap in WHOLES:
        if rng.random() < 0.02:
            text = wrap(text, rng)
            done.append(wrap.__name__)
    data = _encoded(text, rng, done)
    for _ in range(rng.choice((0, 0, 0, 0, 0, 0, 1, 3))):
        change = rng.choice(CHANGES)
        data = change(data, rng)
        done.append(change.__name__)
    return " ".join(name.strip("_") for name in done), data


def _good(rng: Random, pair_id: int) -> Object:
    top = Object([("source", rng.choice(("shop", "user"))), ("pair_id", pair_id)])
    for index in rng.sample(range(1, 8), rng.randint(0, 3)):
        category = rng.choice((1, 8))
        x, y = rng.randint(-5, 30), rng.randint(-5, 30)
        box = [x, y, rng.randint(x + 6, 70), rng.randint(y + 6, 60)]
        labels = [rng.randint(1, 3) for _ in range(3)]
        fields = item(category, rng.choice((0, 1, 1, 2)), box, *labels)
        assert fields["category_name"] == CATEGORY_NAMES[category - 1]
        top.append((f"item{index}", Object(fields.items())))
    return top


def _any(rng: Random, depth: int = 0) -> Any:
    """Return any JSON value, or something similar."""
    kind = rng.randrange(12 if depth < 3 else 8)
    if kind < 1:
        return rng.choice((None, True, False))
    if kind < 4:
        return rng.choice(NUMBERS)
    if kind < 5:
        return rng.choice(ODD_NUMBERS)
    if kind < 7:
        return rng.choice(TEXTS)
    if kind < 8:
        return rng.choice(ODD_TEXTS)
    if kind < 10:
        return [_any(rng, depth + 1) for _ in range(rng.randint(0, 5))]
    if kind < 11:
        names = rng.choices((*FIELDS, *KEYS), k=rng.randint(0, 4))
        return Object((name, _any(rng, depth + 1)) for name in names)
    return _deep(rng)


def _deep(rng: Random) -> Written:
    """Return nested brackets, and as many of them closed as not."""
    depth = rng.choice((10, 500, 1100, 20_000))
    opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
    return Written(opening * depth + "1" + closing * rng.choice((depth, depth, depth - 1, 0)))


def _an_object(top: Object, rng: Random) -> Object:
    """Return the file, or one of its items."""
    inner = [value for _, value in top if isinstance(value, Object)]
    return rng.choice([top, *inner, *inner])


def replace_a_value(top: Object, rng: Random) -> None:
    where = _an_object(top, rng)
    if where:
        at = rng.randrange(len(where))
        where[at] = where[at][0], _any(rng)


def remove_a_field(top: Object, rng: Random) -> None:
    where = _an_object(top, rng)
    if where:
        where.pop(rng.randrange(len(where)))


def add_a_field(top: Object, rng: Random) -> None:
    where = _an_object(top, rng)
    where.insert(rng.randint(0, len(where)), (rng.choice((*KEYS, *FIELDS)), _any(rng)))


def repeat_a_key(top: Object, rng: Random) -> None:
    where = _an_object(top, rng)
    if where:
        key, value = rng.choice(where)
        value = rng.choice((value, _any(rng)))
        where.insert(rng.randint(0, len(where)), (key, value))


def rename_a_key(top: Object, rng: Random) -> None:
    where = _an_object(top, rng)
    if where:
        at = rng.randrange(len(where))
        key, value = where[at]
        where[at] = rng.choice((*KEYS, key.upper(), f"{key} ", key[:-1], f"{key}{key}")), value


def change_a_box(top: Object, rng: Random) -> None:
    for _, fields in top:
        if isinstance(fields, Object):
            for at, (key, value) in enumerate(fields):
                if key == "bounding_box" and isinstance(value, list):
                    box = list(value)
                    for _ in range(rng.randint(1, 2)):
                        how = rng.choice(("set", "drop", "swap"))
                        edge = rng.randrange(len(box) or 1)
                        if how == "swap":
                            rng.shuffle(box)
                        elif how == "drop":
                            del box[edge : edge + 1]
                        else:
                            edges = (*NUMBERS, *ODD_NUMBERS, None, "1", [1])
                            box[edge : edge + 1] = [rng.choice(edges)]
                    fields[at] = key, box


def spell_numbers_otherwise(top: Object, rng: Random) -> None:
    for fields in (top, *(value for _, value in top if isinstance(value, Object))):
        for at, (key, value) in enumerate(fields):
            if type(value) is int and rng.random() < 0.5:
                forms = (f"{value}.0", f"{value}e0", f"{value}0E-1", f"{value}.000", f"0{value}")
                fields[at] = key, Written(rng.choice(forms))


def add_many_items(top: Object, rng: Random) -> None:
    for index in range(100, 100 + rng.choice((20, 300))):
        good = Object(item(1, 0, [1, 1, 9, 9]).items())
        top.append((f"item{index}", rng.choice((Object(), [], good))))


def mix_the_order(top: Object, rng: Random) -> None:
    rng.shuffle(top)
    for _, value in top:
        if isinstance(value, Object):
            rng.shuffle(value)


MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(replace_a_value, replace_a_value, replace_a_value, remove_a_field, add_a_field),
    *(repeat_a_key, rename_a_key, change_a_box, change_a_box, spell_numbers_otherwise),
    *(add_many_items, mix_the_order),
)


def _written(value: Any, rng: Random, plain: bool) -> str:
    """Return a value as JSON; unless `plain`, with spaces anywhere, and strings unchanged."""
    if isinstance(value, Written):
        return value
    space = "" if plain else rng.choice(("", "", " ", "\n", "\t", " \r\n"))
    if isinstance(value, Object):
        colon, comma = f"{space}:{space}", f"{space},{space}"
        pairs = (colon.join(_written(part, rng, plain) for part in pair) for pair in value)
        return f"{{{space}{comma.join(pairs)}{space}}}"
    if isinstance(value, list):
        return f"[{space}{f',{space}'.join(_written(one, rng, plain) for one in value)}{space}]"
    return json.dumps(value, ensure_ascii=plain)


def put_into_a_list(text: str, rng: Random) -> str:
    return f"[{text}]"


def write_twice(text: str, rng: Random) -> str:
    return text + rng.choice(("", "\n", ",")) + text


def add_after_it(text: str, rng: Random) -> str:
    return text + rng.choice((",", "}", "]", "\x00", " // done", "\n\n", "garbage", "{}"))


def add_before_it(text: str, rng: Random) -> str:
    return rng.choice((" ", "\n", "/* */", "\x00", ")]}'\n", "\ufeff", "callback(")) + text


def be_something_else(text: str, rng: Random) -> str:
    others = ("", " ", "null", "true", "0", "[]", "{}", '"text"', "NaN", "<annotation/>", "[{}]")
    return rng.choice((*others, _deep(rng), json.dumps(text)))


def end_its_last_pair_with_a_comma(text: str, rng: Random) -> str:
    return text[:-1] + "," + text[-1:]


WHOLES: Final = (
    *(put_into_a_list, write_twice, add_after_it, add_before_it, be_something_else),
    end_its_last_pair_with_a_comma,
)


def _encoded(text: str, rng: Random, done: list[str]) -> bytes:
    if rng.random() < 0.93:
        return text.encode("utf-8", "surrogatepass")
    encodings = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "cp037")
    encoding = rng.choice(encodings)
    done.append(encoding)
    return text.encode(encoding, "replace")


def cut_it_short(data: bytes, rng: Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def cut_out_a_part(data: bytes, rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + data[start + rng.randint(1, 40) :]


def flip_a_bit(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data or b"\0")
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def put_in_a_byte(data: bytes, rng: Random) -> bytes:
    at = rng.randint(0, len(data))
    byte = rng.choice((b"\0", b"\xff", b'"', b"{", b"]", b":", b"\xc3", b"\n"))
    return data[:at] + byte + data[at:]


def repeat_a_part(data: bytes, rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    end = min(len(data), start + rng.randint(1, 60))
    return data[:end] + data[start:]


def end_in_zeros(data: bytes, rng: Random) -> bytes:
    """Return a file as a file system leaves it after a power cut."""
    kept = rng.randint(0, len(data))
    return data[:kept].ljust(len(data), b"\0")


CHANGES: Final = (
    *(cut_it_short, cut_it_short, cut_out_a_part, flip_a_bit, flip_a_bit, put_in_a_byte),
    *(repeat_a_part, end_in_zeros),
)
