"""`python -m df2_assets`: the command line, where the console script is not on the PATH."""

from df2_assets.cli import main

main(prog_name="df2-assets")
