#!/usr/bin/env bash
# Tests the project with the oldest and the newest Dagster that pyproject.toml allows: it loads
# without a warning, `dagster` and `dg` accept its definitions, and every entry point builds the
# same. PYTHON chooses the Python of the environments, which are created and deleted again.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
unset DAGSTER_HOME SKU_ROOT SPLITS "${!DF2_@}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
oldest=$(sed -n 's/^ *"dagster>=\([0-9.]*\),.*/\1/p' pyproject.toml)

try() { # NAME [REQUIREMENT…]
    local env=$scratch/$1 version
    shift
    "${PYTHON:-python3}" -m venv "$env" || return
    local pip=("$env/bin/python" -I scripts/pip_install.py)
    "${pip[@]}" -e '.[dev]' "$@" || return
    version=$("$env/bin/python" -c 'import dagster; print(dagster.__version__)')
    printf '\n=== Dagster %s\n' "$version"
    "$env/bin/python" -m pytest -q df2_assets_tests/defs/test_entry_points.py \
        df2_assets_tests/defs/test_verification.py df2_assets_tests/defs/runs/test_retention.py \
        df2_assets_tests/test_dg.py
}

failed=0
try oldest "dagster==$oldest" "dagster-webserver==$oldest" || failed=1
try newest || failed=1
((failed == 0)) && echo 'Both work.'
exit "$failed"
