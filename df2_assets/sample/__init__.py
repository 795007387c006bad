"""A DeepFashion2 of our own: drawn, deterministic, free to share, in the original layout."""

from df2_assets.sample.make import DEFAULT_IMAGES, SampleSummary, make_sample

__all__ = ["DEFAULT_IMAGES", "SampleSummary", "make_sample"]
