"""One picture of `make bench`: seconds by number of images, and a cold build by stage."""

from pathlib import Path
from statistics import median

from benchmarks.builds import Result
from benchmarks.figures import at_best, cost_by_images, stages


def plot(results: Result, path: Path) -> None:
    """Write the picture as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    turns, cores = results["turns"], results["machine"]["cores"]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    costs = {size: median(seconds) for size, seconds in cost_by_images(results).items()}
    left.plot(list(costs), list(costs.values()), "o-", label="df2-assets, beyond the fixed start")
    recipe = median(turn["recipe"]["seconds"] for turn in turns)
    left.plot([0, results["images"]], [0, recipe], "s--", label="the original recipe")
    limit = median(at_best(turn, cores) for turn in turns)
    left.plot([0, results["images"]], [0, limit], ":", label=f"the codec alone, on {cores} cores")
    left.set(xlabel="images", ylabel="seconds")
    left.legend(fontsize=8)
    by_turn = [stages(turn, cores) for turn in turns]
    names = list(by_turn[0])[::-1]
    right.barh(
        [name.partition(":")[0].partition(" (")[0] for name in names],
        [median(of[name] for of in by_turn) for name in names],
    )
    right.set(xlabel=f"seconds of a cold build of {results['images']:,} images")
    right.tick_params(labelsize=8)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
