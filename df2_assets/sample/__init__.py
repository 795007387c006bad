"""A drawn sample of DeepFashion2: deterministic, free to share, in the original layout."""

from df2_assets.sample.make import DEFAULT_IMAGES, SampleSummary, make_sample

__all__ = ["DEFAULT_IMAGES", "SampleSummary", "make_sample"]
