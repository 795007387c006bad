"""The command `df2-assets`, also as `python -m df2_assets`."""

import gc
import os

from df2_assets.signals import exit_with_signal_status


def main() -> None:
    """Run the command line; what it imports can be interrupted too."""
    # What imports make stays: to look for garbage in it takes a fifth of a command's start.
    gc.set_threshold(100_000)
    try:
        os.getcwd()
    except FileNotFoundError:
        folder = ascii(os.environ.get("PWD", "."))
        raise SystemExit(
            f"Error: The current folder {folder} was deleted: change to another one."
        ) from None
    with exit_with_signal_status():
        from df2_assets.cli import main as command_line

        command_line(prog_name="df2-assets")


if __name__ == "__main__":
    main()
