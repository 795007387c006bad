"""`df2-assets sample`: a small DeepFashion2 to try things on."""

import click

from df2_assets.cli.options import WholeNumber, json_option, progress, say, say_json


@click.command()
@click.argument("out")
@click.option(
    "--images",
    type=WholeNumber(),
    default=480,
    show_default=True,
    help="How many, over all splits.",
)
@click.option(
    "--defects",
    is_flag=True,
    help="Plant defects and write answer_key.json; takes 120 images or more.",
)
@click.option(
    "--seed",
    type=WholeNumber(),
    default=0,
    show_default=True,
    help="Another seed draws other garments.",
)
@json_option
def sample(out: str, images: int, seed: int, defects: bool, as_json: bool) -> None:
    """Draw a sample data set in DeepFashion2's layout at OUT, to be used as DF2_ROOT.

    \b
    Example: df2-assets sample data/sample/DeepFashion2_original
    """
    from df2_assets.errors import SampleError
    from df2_assets.sample import make_sample
    from df2_assets.store.location import is_url, locate

    if is_url(out):
        raise SampleError(
            f"A sample is drawn on this machine, and {out} is not there: give a folder, and copy "
            "it to where DF2_ROOT is to be."
        )
    made = make_sample(locate(out), images=images, seed=seed, defects=defects, progress=progress())
    if as_json:
        say_json({"df2_root": str(made.root), "images": made.images, "drawn": made.written})
        return
    counts = ", ".join(f"{split} {count}" for split, count in made.images.items())
    drawn = f"{made.written} drawn" if made.written else "all there already"
    say(f"Sample in {made.root}: {counts} images, {drawn}.")
