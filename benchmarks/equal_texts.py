"""`python -m benchmarks.equal_texts SKU_ROOT`: equal texts of different SKUs in a batch.

In a contrastive loss they are false negatives. Compares random batches with those of
`DistinctTextBatchSampler`.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click

_RANDOM_BATCHES: Final = 200


@click.command()
@click.argument("sku_root", type=click.Path(path_type=Path))
@click.option("--split", default="train", show_default=True)
@click.option("--text-key", default="text", show_default=True, help="Key of the prompts.")
@click.option("--rows", multiple=True, default=(64, 128, 256), show_default=True, help="Per batch.")
def main(sku_root: Path, split: str, text_key: str, rows: tuple[int, ...]) -> None:
    """Print the pairs of equal texts of different SKUs per batch."""
    from df2_assets.torch import DeepFashion2ImageTextDataset, DistinctTextBatchSampler

    dataset = DeepFashion2ImageTextDataset(sku_root, split, text_key=text_key, strict=False)
    texts = [(row[text_key], row["sku_id"]) for row in dataset.rows]
    rng = random.Random(0)
    click.echo(f"{len(texts):,} rows with {len({text for text, _ in texts}):,} different texts")
    for size in rows:
        sampler = DistinctTextBatchSampler(dataset, size)
        drawn = mean_pairs(rng.sample(texts, size) for _ in range(_RANDOM_BATCHES))
        distinct = mean_pairs([texts[row] for row in batch] for batch in sampler)
        click.echo(
            f"{size} rows per batch: {drawn:.1f} pairs in random batches, {distinct:.1f} in those "
            f"of the sampler; it leaves out {sampler.rows_left_out / len(texts):.0%} of an epoch, "
            f"which has {len(sampler):,} batches"
        )


def mean_pairs(batches: Iterable[Sequence[tuple[str, str]]]) -> float:
    """Return the mean number, per batch, of pairs with equal texts and different SKUs."""
    pairs = [
        _count_pairs(Counter(text for text, _ in batch)) - _count_pairs(Counter(batch))
        for batch in batches
    ]
    return sum(pairs) / len(pairs)


def _count_pairs(counts: Counter[str] | Counter[tuple[str, str]]) -> int:
    return sum(count * (count - 1) // 2 for count in counts.values())


if __name__ == "__main__":
    main()
