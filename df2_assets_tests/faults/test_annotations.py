"""Annotation files with every kind of mistake: each is reported once, and the rest is built."""

import json
import os
from contextlib import suppress
from pathlib import Path

from df2_assets_tests.faults import mutate_annotations
from df2_assets_tests.faults.agreement import (
    IN_A_PAIR,
    SPLIT,
    TOP,
    assert_agreement,
    assert_all_agree,
    kept,
    plant,
)
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.support.builder import DataSet, annotation_text

AT_ONCE = 500
LARGEST = 16 * 2**20
MEMORY = 1536 * 2**20
"""The most memory of a worker: the largest annotation that is read, as Python objects."""


def test_any_annotation_is_used_or_refused_without_affecting_others(
    faults: Faults,
) -> None:
    for start in range(0, faults.amount(short=400, long=15_000), AT_ONCE):
        cases = [
            mutate_annotations.annotation(faults.random(number), number // IN_A_PAIR % 50 + 1)[1]
            for number in range(start, start + AT_ONCE)
        ]
        assert assert_all_agree("annotations", cases) < MEMORY
        faults.count("annotations", len(cases))


def test_inputs_that_once_failed_pass_now() -> None:
    assert_all_agree("annotations", kept("annotations"))


def good(pair_id: int = 1) -> bytes:
    return annotation_text("user", pair_id, {1: TOP}).encode()


def fill_annotation(field: str, filling: bytes, size: int) -> bytes:
    """Return a good annotation of `size` bytes, with an item that has a list full of `filling`."""
    text = annotation_text("user", 1, {1: TOP | {field: "HERE"}}).encode()
    head, tail = text.split(b'"HERE"')
    count = (size - len(text) - 2) // (len(filling) + 1)
    return (head + b"[" + b",".join([filling] * count) + b"]" + tail).ljust(size)


HUGE = [
    good().ljust(LARGEST),
    good().ljust(LARGEST + 1),
    b"[" * LARGEST,
    b'{"a":' * (LARGEST // 5),
    b'{"source": "' + b"a" * (LARGEST - 20) + b'"}',
    b'{"pair_id": ' + b"9" * (LARGEST - 20) + b"}",
    b'{"' + b"a" * (LARGEST - 20) + b'": 1}',
]
"""Files of the largest size that is read, and one byte more."""

HUGER = [
    fill_annotation("segmentation", b"{}", LARGEST),
    fill_annotation("bounding_box", b"1", LARGEST),
    fill_annotation("landmarks", b"1.5", LARGEST),
    b'{"source": "user", "pair_id": 1, '
    + b", ".join(b'"item%d": {}' % number for number in range(1, 300_000))
    + b"}",
]
"""As many objects, numbers and items as fit into that size. They are slow to read."""


def test_a_huge_annotation_is_used_or_refused_in_bounded_memory(
    faults: Faults, tmp_path: Path
) -> None:
    cases = [*HUGE, *HUGER] if faults.long else HUGE
    data = DataSet(tmp_path / "df2")
    plant(data, "annotations", cases)
    assert assert_agreement(data, tmp_path) < MEMORY
    faults.count("annotations", len(cases))


def test_an_annotation_of_100_megabytes_is_refused_unread(faults: Faults, tmp_path: Path) -> None:
    data = DataSet(tmp_path / "df2")
    plant(data, "annotations", [good(), good(), good()])
    os.truncate(data.root / SPLIT / "annos" / "000003.json", 100 * 10**6)
    with (data.root / SPLIT / "annos" / "000004.json").open("wb") as file:
        file.write(good().rstrip(b"}"))
        for _ in range(100):
            file.write(b" " * 10**6)
        file.write(b"}")
    assert assert_agreement(data, tmp_path) < 200 * 2**20
    faults.count("annotations", 2)


def test_the_mutations_reach_every_reason_and_leave_enough_good_files(faults: Faults) -> None:
    """Otherwise, the harness would try little: neither almost all good files nor almost all bad."""
    readable = 0
    names = set()
    for number in range(2000):
        name, data = mutate_annotations.annotation(faults.random(number), 1)
        names.update(name.split())
        with suppress(ValueError, RecursionError):
            readable += isinstance(json.loads(data), dict)
    assert 600 < readable < 1600
    groups = (mutate_annotations.MUTATIONS, mutate_annotations.WHOLES, mutate_annotations.CHANGES)
    assert names >= {mutate.__name__ for group in groups for mutate in group}
