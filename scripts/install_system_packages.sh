#!/usr/bin/env bash
# The Debian packages that tests of the UI, PostgreSQL, shell completion and Azurite need, installed
# where they are missing: chromium, postgresql, zsh, nodejs and npm. Only root can install them;
# anybody else is told how.
set -euo pipefail

missing=()
[[ -x /usr/bin/chromium ]] || missing+=(chromium)
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
[[ -x /usr/bin/zsh ]] || missing+=(zsh)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
((${#missing[@]})) || exit 0

command="apt-get install --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
    echo "${missing[*]} needed, and this is no Debian: /usr/bin/chromium, /usr/bin/zsh, /usr/lib/postgresql/*/bin, node and npm are looked for." >&2
    exit 1
elif ((EUID != 0)); then
    echo "${missing[*]} needed. As root: $command" >&2
    exit 1
fi

echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Debian would start a server of its own, which no test uses.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null
