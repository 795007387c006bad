"""Finished builds in PyTorch: crops with their prompts, batches by SKU, catalog-query pairs.

The only package that needs torch. Besides it needs numpy, Pillow and msgspec, and nothing of the
platform: `pip install --no-deps df2-assets` is enough to train. All of it works in the workers of a
DataLoader.
"""

from df2_assets.torch.dataset import DeepFashion2ImageTextDataset
from df2_assets.torch.pairs import CatalogQueryPairs
from df2_assets.torch.sampler import PKBatchSampler

__all__ = ["CatalogQueryPairs", "DeepFashion2ImageTextDataset", "PKBatchSampler"]
