"""Finished builds in PyTorch: crops with their prompts, batches, and the targets of a loss.

This is the only package that needs torch. It also needs numpy, Pillow and msgspec, but nothing
else: `pip install --no-deps df2-assets` is enough to train. Everything works in the workers of a
DataLoader.
"""

from df2_assets.torch.dataset import DeepFashion2ImageTextDataset, JoinedDataset, join
from df2_assets.torch.labels import select_landmarks
from df2_assets.torch.pairs import CatalogQueryPairs
from df2_assets.torch.sampler import DistinctTextBatchSampler, PKBatchSampler
from df2_assets.torch.targets import compute_targets

__all__ = [
    "CatalogQueryPairs",
    "DeepFashion2ImageTextDataset",
    "DistinctTextBatchSampler",
    "JoinedDataset",
    "PKBatchSampler",
    "compute_targets",
    "join",
    "select_landmarks",
]
