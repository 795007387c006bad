"""`df2-assets ui` if it cannot start. `test_wheel.py` opens the pages that it serves."""

import socket

from df2_assets_tests.cli.conftest import Desk


def test_a_port_in_use_is_reported_in_one_line_and_nothing_starts(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = desk.run("ui", "--port", str(port))
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: Port {port} of 127.0.0.1 cannot be used (")
    assert line.endswith("choose another --port")
    assert desk.files() == {}
