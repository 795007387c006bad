"""Chance that depends on names alone, so that images can be drawn in any order."""

import hashlib
import random


def chance(*names: object) -> random.Random:
    """A generator for the thing that `names` names: the same on every machine and Python."""
    text = "/".join(map(str, names))
    return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))
