"""`df2-assets sample`: a small DeepFashion2 to try things on."""

from pathlib import Path

import click


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--images", type=click.IntRange(min=1), help="How many images, over all splits.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws other garments.")
def sample(out: Path, images: int | None, seed: int) -> None:
    """Draw a sample data set in DeepFashion2's layout at OUT, to be used as DF2_ROOT.

    \b
    Example: df2-assets sample data/sample/DeepFashion2_original
    """
    from df2_assets.sample import DEFAULT_IMAGES, make_sample

    made = make_sample(out, images=images or DEFAULT_IMAGES, seed=seed)
    click.echo(made)
