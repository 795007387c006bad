"""DeepFashion2 as SKU crops, metadata and prompts, built as Dagster assets.

Worker processes import this package: it loads nothing before the Component is asked for.
"""

__version__ = "0.1.0"
__all__ = ["DeepFashion2Sku", "__version__"]


def __getattr__(name: str) -> object:
    if name != "DeepFashion2Sku":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    from df2_assets.component import DeepFashion2Sku

    return DeepFashion2Sku


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
