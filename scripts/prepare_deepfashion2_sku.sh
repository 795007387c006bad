#!/usr/bin/env bash
# Builds SKU crops, metadata and prompts from DeepFashion2, from any folder:
#
#   DF2_ROOT=… SKU_ROOT=… SPLITS="train validation" scripts/prepare_deepfashion2_sku.sh
#
# DF2_ROOT  the data set as released  (default: data/DeepFashion2_original of the project)
# SKU_ROOT  where the result goes     (default: data/DeepFashion2_SKU of the project)
# SPLITS    what to build, by spaces  (default: train validation test)
#
# `df2-assets build` reads them. Arguments go to it, and its exit status comes back.
set -euo pipefail

script=${BASH_SOURCE[0]}
while [[ -L $script ]]; do
    folder=$(CDPATH='' cd -P -- "$(dirname -- "$script")" && pwd)
    script=$(readlink -- "$script")
    [[ $script == /* ]] || script=$folder/$script
done
project=$(CDPATH='' cd -P -- "$(dirname -- "$script")/.." && pwd)

# The Makefile knows whether the environment is there and current, and then does nothing.
# A make that called us may have flags of its own: they are not meant for this one.
if ! MAKEFLAGS='' make -s --no-print-directory -C "$project" install </dev/null >&2; then
    echo "The project's environment could not be made: see above, then try again." >&2
    exit 1
fi

exec "$project/.venv/bin/df2-assets" build "$@"
