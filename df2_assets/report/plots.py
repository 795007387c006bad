"""Plots of the content of a split, with matplotlib.

matplotlib loads slowly, so no build plots anything. Figures are made without pyplot, which keeps
global state that steps in threads would share.
"""

import io
import textwrap
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from df2_assets.dataset.taxonomy import CATEGORIES, LABELS, NOT_GIVEN
from df2_assets.report.tiles import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS: Final = {"catalog": "#124e78", "query": "#e08e45"}
_DPI: Final = 98
"""The resolution at which a plot fits in a dialog of Dagster, which does not scale pictures."""

_STYLE: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa5b1",
    "axes.labelcolor": "#3e4c59",
    "text.color": "#1f2933",
    "xtick.color": "#3e4c59",
    "ytick.color": "#3e4c59",
}


def plot_distributions(
    split: str, groups: pd.DataFrame, manifest: pd.DataFrame, quality: pd.DataFrame
) -> Picture | None:
    """Draw a PNG with categories, labels, crops per SKU, sizes and brightness.

    `groups` are rows of `sku_groups`; crops that are not on disk are left out. Return None if there
    are no crops.
    """
    crops = groups.merge(manifest, on="crop_path").merge(quality, on="crop_path")
    if crops.empty:
        return None
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]  # keys are a Literal of them all
        figure = Figure(figsize=(10, 7.5), layout="constrained")
        grid = figure.add_gridspec(2, 3)
        _plot_categories(figure.add_subplot(grid[0, 0]), crops)
        _plot_labels(figure.add_subplot(grid[0, 1]), crops, "occlusion", "viewpoint")
        _plot_labels(figure.add_subplot(grid[0, 2]), crops, "scale", "zoom_in")
        _plot_per_sku(figure.add_subplot(grid[1, 0]), crops)
        _plot_histogram(
            figure.add_subplot(grid[1, 1]),
            crops.assign(side=crops[["width", "height"]].min(axis=1)),
            "side",
            "Shorter side of a crop",
            "pixels",
        )
        _plot_histogram(
            figure.add_subplot(grid[1, 2]), crops, "brightness", "Brightness", "mean luma, 0 to 255"
        )
        figure.suptitle(f"{split}: {crops['sku_id'].nunique():,} SKUs, {len(crops):,} crops")
        colours = [Patch(color=colour, label=domain) for domain, colour in _COLOURS.items()]
        figure.legend(handles=colours, loc="outside lower center", ncols=2, frameon=False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return Picture("distributions of the crops", buffer.getvalue(), ".png")


def _plot_categories(axes: "Axes", crops: pd.DataFrame) -> None:
    names = list(CATEGORIES.values())[::-1]
    counts = crops.groupby(["category_name", "domain"]).size().unstack(fill_value=0)
    left = pd.Series(0, index=names)
    for domain, colour in _COLOURS.items():
        values = counts.get(domain, pd.Series(dtype=int)).reindex(names, fill_value=0).astype(int)
        axes.barh(names, values.tolist(), left=left.tolist(), color=colour)
        left = left + values
    axes.set_title("Crops by category")
    axes.set_xlabel("crops")


def _plot_labels(axes: "Axes", crops: pd.DataFrame, down: str, across: str) -> None:
    """Draw how many crops have each two values of two labels; 0 stands for a missing label."""
    values_of = crops[[down, across]].fillna(0)
    counts = values_of.groupby([down, across]).size().unstack(fill_value=0)
    lines, columns = (
        LABELS[name] | ({0: NOT_GIVEN} if (values_of[name] == 0).any() else {})
        for name in (down, across)
    )
    counts = counts.reindex(index=list(lines), columns=list(columns), fill_value=0)
    values = counts.to_numpy(dtype=int)
    axes.imshow(values, cmap="Blues", aspect="auto", vmin=0)
    for row, line in enumerate(values.tolist()):
        for column, count in enumerate(line):
            dark = count > values.max() / 2
            axes.text(
                column, row, f"{count:,}", ha="center", va="center", color="w" if dark else "k"
            )
    axes.set_xticks(range(len(columns)), [textwrap.fill(name, 8) for name in columns.values()])
    axes.set_yticks(range(len(lines)), [textwrap.fill(name, 8) for name in lines.values()])
    names = down.replace("_", " "), across.replace("_", " ")
    axes.set_ylabel(names[0])
    axes.set_xlabel(names[1])
    axes.set_title(f"{names[0].capitalize()} by {names[1]}")


def _plot_per_sku(axes: "Axes", crops: pd.DataFrame) -> None:
    most = 40
    sizes = crops.groupby(["sku_id", "domain"]).size().unstack(fill_value=0)
    sizes = sizes.reindex(columns=list(_COLOURS), fill_value=0)
    values = [sizes[domain].clip(upper=most).tolist() for domain in _COLOURS]
    bins = [edge + 0.5 for edge in range(int(sizes.clip(upper=most).max().max()) + 1)]
    axes.hist(values, bins=bins, color=list(_COLOURS.values()))
    axes.set_title("Crops per SKU")
    axes.set_xlabel(
        "crops of one domain" + f" ({most}: or more)" * bool((sizes > most).any(axis=None))
    )
    axes.set_ylabel("SKUs")


def _plot_histogram(axes: "Axes", crops: pd.DataFrame, value: str, title: str, unit: str) -> None:
    of_domain = [crops[value][crops["domain"] == domain] for domain in _COLOURS]
    values = [series.astype(float).tolist() for series in of_domain]
    axes.hist(values, bins=30, color=list(_COLOURS.values()), stacked=True)
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.set_ylabel("crops")
