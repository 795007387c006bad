"""`df2-assets sample`: a small drawn data set in DeepFashion2's layout."""

import click

from df2_assets.cli.options import WholeNumber, json_option, progress, say, say_json


@click.command()
@click.argument("out")
@click.option(
    "--images",
    type=WholeNumber(1),
    metavar="NUMBER",
    default=480,
    show_default=True,
    help="Number of images in all splits together.",
)
@click.option(
    "--defects",
    is_flag=True,
    help="Also plant defects, listed in answer_key.json. Needs at least 120 images.",
)
@click.option(
    "--seed",
    type=WholeNumber(0),
    metavar="NUMBER",
    default=0,
    show_default=True,
    help="Seed of the drawing: each seed gives other garments.",
)
@json_option
def sample(out: str, images: int, seed: int, defects: bool, as_json: bool) -> None:
    """Draw a small sample data set in the layout of DeepFashion2.

    OUT is the folder to write to, for use as DF2_ROOT. Images that exist already are kept.

    \b
    Example: df2-assets sample data/sample/DeepFashion2_original
    """
    from df2_assets.errors import SampleError
    from df2_assets.sample import make_sample
    from df2_assets.store.location import is_url, locate

    if is_url(out):
        raise SampleError(
            f"A sample is drawn on this machine, so {out} cannot be used: give a folder, and copy "
            "it to your DF2_ROOT afterwards."
        )
    summary = make_sample(
        locate(out), images=images, seed=seed, defects=defects, progress=progress()
    )
    if as_json:
        document = {"df2_root": str(summary.root), "images": summary.images}
        say_json({**document, "drawn": summary.written})
        return
    counts = ", ".join(f"{split} {count}" for split, count in summary.images.items())
    drawn = f"{summary.written} drawn" if summary.written else "all of which existed"
    say(f"Sample in {summary.root}: {counts} images, {drawn}.")
