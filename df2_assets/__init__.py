"""DeepFashion2 as SKU crops, metadata and prompts, built as Dagster assets.

`build`, `plan`, `verify`, `explain` and `read_image_text` are functions of `df2_assets.api`, which
raise errors of `errors`. `DeepFashion2Sku` is the Component of `df2_assets.component`. Worker
processes import this package, so it loads a name only when it is used.
"""

TYPE_CHECKING = False  # for type checkers, without importing typing
if TYPE_CHECKING:
    from df2_assets import errors
    from df2_assets.api import build, explain, plan, read_image_text, verify
    from df2_assets.component import DeepFashion2Sku

__version__ = "0.1.0"
__all__ = [
    "DeepFashion2Sku",
    "__version__",
    "build",
    "errors",
    "explain",
    "plan",
    "read_image_text",
    "verify",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "DeepFashion2Sku":
        from df2_assets import component as module
    else:
        from df2_assets import api as module  # type: ignore[no-redef]
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
