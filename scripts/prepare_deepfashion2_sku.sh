#!/usr/bin/env bash
# Builds SKU crops, metadata and prompts from DeepFashion2, from any folder:
#
#   DF2_ROOT=… SKU_ROOT=… SPLITS="train validation" scripts/prepare_deepfashion2_sku.sh
#
# DF2_ROOT  the unpacked download                  (default: data/DeepFashion2_original of the project)
# SKU_ROOT  where the result goes                  (default: data/DeepFashion2_SKU of the project)
# SPLITS    the splits to build, divided by spaces (default: train validation test)
#
# `df2-assets build` reads these variables, takes the arguments, and gives the exit code.
set -euo pipefail

script=${BASH_SOURCE[0]}
while [[ -L $script ]]; do
    folder=$(CDPATH='' cd -P -- "$(dirname -- "$script")" && pwd)
    script=$(readlink -- "$script")
    [[ $script == /* ]] || script=$folder/$script
done
project=$(CDPATH='' cd -P -- "$(dirname -- "$script")/.." && pwd)

# `make install` does nothing if the environment is up to date. MAKEFLAGS of a make that runs this
# script must not reach it.
if ! MAKEFLAGS='' make -s --no-print-directory -C "$project" install </dev/null >&2; then
    echo "The environment of the project could not be created: see above, then try again." >&2
    exit 1
fi

exec "$project/.venv/bin/df2-assets" build "$@"
