"""Numbers that the turns of `make bench` come to."""

from benchmarks.builds import Result, check_seconds

MIB = 2**20
SPLIT = "train"


def beyond(turn: Result, build: str = "cold") -> float:
    """Seconds of a build beyond what one of an empty split takes."""
    return float(turn[build]["seconds"] - turn["nothing"]["seconds"])


def at_best(turn: Result, cores: int) -> float:
    """Seconds that decoding and encoding alone would take on all cores."""
    return float((turn["codec"]["decode"] + turn["codec"]["encode"]) / cores)


def cost_by_images(results: Result) -> dict[int, list[float]]:
    """Seconds beyond the fixed start, turn by turn, by the number of images."""
    turns = results["turns"]
    return {
        size: [of_size(turn, size)["seconds"] - turn["nothing"]["seconds"] for turn in turns]
        for size in [*map(int, turns[0]["smaller"]), results["images"]]
    }


def stages(turn: Result, cores: int) -> dict[str, float]:
    """Seconds of the cold build of a turn by stage; together they are all of it.

    What decoding, encoding and writing take is measured apart, in one process, and shared out to
    the cores.
    """
    steps, numbers = cold_split(turn)["steps"], cold_split(turn)["numbers"]
    tables = ("raw_annotation_index", "sku_groups", "crops", "refusals")
    codec = {what: turn["codec"][what] / cores for what in ("decode", "encode", "write")}
    found = {
        "index: annotations and image headers": numbers["raw_annotation_index"]["seconds"],
        "group": steps["sku_groups"]["body"],
        "decode": codec["decode"],
        "encode": codec["encode"],
        "write: files and digests": codec["write"],
        "rest of the crops step: plan, journal, idle cores": (
            numbers["crops"]["seconds"] - sum(codec.values())
        ),
        "tables: read, compared, written": sum(
            steps[name]["load"] + steps[name]["store"] for name in tables
        )
        + steps["refusals"]["body"],
        "metadata and JSONL": steps["sku_metadata"]["total"] + steps["image_text"]["total"],
        "checks": check_seconds(cold_split(turn)),
    }
    rest = turn["cold"]["seconds"] - sum(found.values())
    return found | {"start, imports and Dagster": rest}


def of_size(turn: Result, size: int) -> Result:
    """The cold build of so many images."""
    build: Result = turn["smaller"].get(str(size)) or turn["cold"]
    return build


def cold_split(turn: Result) -> Result:
    split: Result = turn["cold"]["splits"][SPLIT]
    return split


def number(turn: Result, build: str, asset: str, name: str) -> float:
    return float(turn[build]["splits"][SPLIT]["numbers"][asset][name])


def beyond_empty(turn: Result, build: Result) -> float:
    """MiB that a build takes at its peak beyond one of an empty split."""
    return float(build["peak_bytes"] - turn["nothing"]["peak_bytes"]) / MIB
