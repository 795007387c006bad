"""The section of the README that `make rehearsal` writes."""

from statistics import mean, median

from benchmarks.builds import Result, check_seconds
from benchmarks.figures import MIB, beyond_empty, cost_by_images
from benchmarks.tables import Goal, goals, on, table
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, PUBLISHED


def rehearsal_report(results: Result, bench: Result | None) -> str:
    """Figures of a rehearsal, beside those of `make bench` where it ran on the same machine."""
    images, splits = results["images"], results["cold"]["splits"]
    rows = _goals(results)
    if bench is not None and bench["machine"] == results["machine"]:
        rows += _goals_beside(results, bench)
    sections = [
        f"On {on(results['machine'])} "
        + ", ".join(f"{count:,} images of {split}" for split, count in images.items())
        + f"; {sum(results['photos'].values()):,} different pictures.",
        goals(rows),
        _taken(results),
        table(
            ("split", "SKUs", "crops", "refused", "index", "crops step", "checks", "passed"),
            [_split_row(split, splits[split]) for split in images],
        ),
        _warnings(results),
    ]
    if "pages" in results:
        pages = [(key, f"{1000 * seconds:.0f} ms") for key, seconds in results["pages"].items()]
        sections.append(table(("page of the asset in the UI", "answers within"), pages))
    return "\n\n".join(sections)


def codec_limit(results: Result) -> float:
    """Seconds that decoding and encoding alone would take on all cores, from the part measured."""
    codec = results["codec"]
    splits = results["cold"]["splits"].values()
    images = sum(split["numbers"]["crops"]["images_decoded"] for split in splits)
    seconds = (codec["decode"] + codec["encode"]) * images / codec["images"]
    return float(seconds / results["machine"]["cores"])


def _goals(results: Result) -> list[Goal]:
    cold, unchanged = results["cold"]["seconds"], results["unchanged"]["seconds"]
    recipe = _annotated(results) / results["part"] * mean(r["seconds"] for r in results["recipe"])
    limit = codec_limit(results)
    rows = [
        Goal(
            "cold build, whole command, against the recipe's rate on a part",
            "≥ 3 times as fast",
            [recipe / cold],
            "{:.2f} times",
            least=3,
            note=f"{recipe / limit:.2f} times is the limit that the codec sets",
        ),
        Goal(
            "cold build, whole command",
            "≤ 15 min",
            [cold / 60],
            "{:.1f} min",
            most=15,
            note=f"the codec alone takes {limit / 60:.1f} min on all cores",
        ),
        Goal(
            "unchanged rerun, whole command, against cold",
            "≤ 5%",
            [unchanged / cold],
            "{:.1%}",
            most=0.05,
            note=f"{unchanged:.1f} s",
        ),
        Goal(
            "peak memory beyond that of empty splits",
            "≤ 1 GiB",
            [beyond_empty(results, results["cold"])],
            "{:.0f} MiB",
            most=1024,
            note=f"{results['cold']['peak_bytes'] / MIB:.0f} MiB in all",
        ),
    ]
    if "pages" in results:
        slowest = max(results["pages"].values())
        rows.append(
            Goal("slowest page of an asset in the UI", "≤ 2 s", [slowest], "{:.2f} s", most=2)
        )
    return rows


def _goals_beside(results: Result, bench: Result) -> list[Goal]:
    """Goals that hold from the sizes of `make bench` to the full one."""
    memory = median(beyond_empty(turn, turn["cold"]) for turn in bench["turns"])
    whole = _annotated(results)
    costs = {size: median(of) / size for size, of in cost_by_images(bench).items()}
    costs[whole] = (results["cold"]["seconds"] - results["nothing"]["seconds"]) / whole
    return [
        Goal(
            f"peak memory from {bench['images']:,} to {whole:,} images",
            "flat",
            [beyond_empty(results, results["cold"]) / memory],
            "{:.2f} times",
            most=1.15,
            note=f"{memory:.0f} MiB at {bench['images']:,}",
        ),
        Goal(
            f"cost of an image from {min(costs):,} to {whole:,} images",
            "flat within 15%",
            [max(costs.values()) / min(costs.values()) - 1],
            "{:.0%}",
            most=0.15,
            note=", ".join(f"{1000 * cost:.2f} ms at {size:,}" for size, cost in costs.items()),
        ),
    ]


def _annotated(results: Result) -> int:
    return sum(results["images"].get(split, 0) for split in ANNOTATED_SPLITS)


def _taken(results: Result) -> str:
    disk, recipe = results["disk"], results["recipe"]
    rate = results["part"] / mean(one["seconds"] for one in recipe)
    return (
        f"Cold: {results['cold']['seconds']:.1f} s, {results['cold']['cpu']:.1f} processor "
        f"seconds; unchanged: {results['unchanged']['seconds']:.1f} s; three empty splits: "
        f"{results['nothing']['seconds']:.1f} s. The recipe made {rate:,.0f} images/s of "
        f"{results['part']:,} (before and after the build). The result: {disk['files']:,} files, "
        f"{disk['bytes'] / 1e9:.2f} GB, {disk['taken'] / 1e9:.2f} GB on the disk."
    )


def _split_row(split: str, of: Result) -> tuple[str, ...]:
    numbers = of["numbers"]
    return (
        split,
        f"{numbers['sku_metadata']['skus']:,}",
        f"{numbers['sku_metadata']['crops']:,}",
        f"{numbers['refusals']['refused']:,}",
        f"{numbers['raw_annotation_index']['seconds']:.1f} s",
        f"{numbers['crops']['seconds']:.1f} s",
        f"{check_seconds(of):.1f} s",
        f"{len(of['passed'])} of {len(of['passed']) + len(of['warned'])}",
    )


def _warnings(results: Result) -> str:
    """What the checks that have not passed say; with one of severity ERROR there is no report."""
    splits = results["cold"]["splits"]
    lines = [f"- {split}: {said}" for split in splits for said in splits[split]["warned"]]
    return (
        f"(The published build of the release: {PUBLISHED.skus:,} SKUs and {PUBLISHED.crops:,} "
        "crops.) No check failed. Warnings:\n\n" + "\n".join(lines or ["- none"])
    )
