"""The command `df2-assets`, also as `python -m df2_assets`."""

from df2_assets.signals import ending_with_their_status


def main() -> None:
    """Run the command line; what it imports can be interrupted too."""
    with ending_with_their_status():
        from df2_assets.cli import main as command_line

        command_line(prog_name="df2-assets")


if __name__ == "__main__":
    main()
