"""Targets of a contrastive loss in which a text or an image has several correct answers."""

from collections.abc import Sequence

import torch
from torch import Tensor


def compute_targets(texts: Sequence[str], sku_uids: Sequence[str]) -> Tensor:
    """Return the targets of a batch for a multi-positive contrastive loss: float32, (n, n).

    Two rows of the batch are positives of each other if their texts are equal or if they are of one
    SKU. Each row shares a sum of 1 equally among its positives, one of which is the row itself. If
    all texts and all SKUs differ, this is the identity, and the loss is that of CLIP.

    The loss is the cross-entropy with soft targets, in both directions (the supervised contrastive
    loss of Khosla et al., NeurIPS 2020, between images and texts). With `logits` (n, n), image by
    text, and the same targets both times, because positives are mutual:

        (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets)) / 2

    Raises ValueError if there are not as many SKUs as texts.
    """
    if len(texts) != len(sku_uids):
        raise ValueError(
            f"{len(texts)} texts and {len(sku_uids)} SKUs: give one of each per row of the batch."
        )
    positive = _compare(texts) | _compare(sku_uids)
    return positive / positive.sum(dim=1, keepdim=True)


def _compare(values: Sequence[str]) -> Tensor:
    """Return which values are equal to each other, bool, (n, n)."""
    numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
    of = torch.tensor([numbers[value] for value in values], dtype=torch.int64)
    return of[:, None] == of
