"""How many SKUs and crops a split has, for the data card."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from df2_assets.exports.source import Row


@dataclass
class Tally:
    """Counts of a split; `bytes` are those of its crops."""

    skus: int = 0
    crops: int = 0
    bytes: int = 0
    by_domain: Counter[str] = field(default_factory=Counter)
    skus_by_category: Counter[str] = field(default_factory=Counter)
    crops_by_category: Counter[str] = field(default_factory=Counter)


def tally(rows: Iterable[Row]) -> Tally:
    """Count `rows`, which are sorted by SKU."""
    counts = Tally()
    last = None
    for row in rows:
        category = row.fields["category_name"]
        if row.fields["sku_id"] != last:
            last = row.fields["sku_id"]
            counts.skus += 1
            counts.skus_by_category[category] += 1
        counts.crops += 1
        counts.bytes += row.size
        counts.by_domain[row.fields["domain"]] += 1
        counts.crops_by_category[category] += 1
    return counts
