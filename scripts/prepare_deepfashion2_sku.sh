#!/usr/bin/env bash
# Builds SKU crops, metadata and prompts from DeepFashion2, from any folder:
#
#   DF2_ROOT=… SKU_ROOT=… SPLITS="train validation" scripts/prepare_deepfashion2_sku.sh
#
# DF2_ROOT  the data set as released  (default: data/DeepFashion2_original of the project)
# SKU_ROOT  where the result goes     (default: data/DeepFashion2_SKU of the project)
# SPLITS    what to build, by spaces  (default: train validation test)
#
# `df2-assets build` reads these variables. Arguments are passed to it, and its exit status is
# returned.
set -euo pipefail

script=${BASH_SOURCE[0]}
while [[ -L $script ]]; do
    folder=$(CDPATH='' cd -P -- "$(dirname -- "$script")" && pwd)
    script=$(readlink -- "$script")
    [[ $script == /* ]] || script=$folder/$script
done
project=$(CDPATH='' cd -P -- "$(dirname -- "$script")/.." && pwd)

# The Makefile does nothing if the environment exists and is current.
# If make called this script, its flags are not meant for this make.
if ! MAKEFLAGS='' make -s --no-print-directory -C "$project" install </dev/null >&2; then
    echo "The environment of the project could not be created: see above, then try again." >&2
    exit 1
fi

exec "$project/.venv/bin/df2-assets" build "$@"
