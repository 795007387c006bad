"""DeepFashion2 as SKU crops, metadata and prompts, built as Dagster assets.

Worker processes import this package: it imports nothing itself.
"""

__version__ = "0.1.0"
