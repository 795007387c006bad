#!/usr/bin/env bash
# Installs the Debian packages for tests of the UI, PostgreSQL, shell completion and Azurite, if they
# are missing: chromium, postgresql, zsh, nodejs and npm. Only root can install them. For other
# users, this script prints the command.
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
    echo "${missing[*]} needed, but this is not Debian. Install them as /usr/bin/chromium, /usr/bin/zsh, /usr/lib/postgresql/*/bin, node and npm." >&2
    exit 1
elif ((EUID != 0)); then
    echo "${missing[*]} needed. As root: $command" >&2
    exit 1
fi

echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Debian would start a server, which no test uses.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null
