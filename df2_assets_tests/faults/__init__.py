"""The fault harness: builds that are killed, starved, damaged and attacked."""

import pytest

pytest.register_assert_rewrite("df2_assets_tests.faults.arena")
