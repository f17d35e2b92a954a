#!/bin/sh
# Sees to it that the named Debian packages are installed: `scripts/system_libraries.sh NAME...`.
#
# All there: silent, no network. Something missing: root installs it; anybody else gets the exact line to type and exit 1.
# A package counts as there when an installed one provides it (Ubuntu 24.04 calls libglib2.0-0 libglib2.0-0t64).
# Where there is no dpkg the list is printed and nothing is stopped: the names differ there, and so does the way.
set -eu

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is not Debian or Ubuntu. Make sure that your system has what these packages hold: $*" >&2
    exit 0
fi

there=$(dpkg-query -W -f '${db:Status-Status} ${Package}, ${Provides}\n' 2>/dev/null |
    sed -n 's/^installed //p' | tr ',' '\n' | sed 's/^ *//; s/[ (:].*//' | sort -u)
missing=""
for name in "$@"; do
    echo "$there" | grep -Fqx "$name" || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "These system packages are missing. Type this line, then start again:" >&2
    as_root="su -c"
    command -v sudo >/dev/null 2>&1 && as_root="sudo sh -c"
    echo "    $as_root 'apt-get update && apt-get install --no-install-recommends$missing'" >&2
    exit 1
fi

echo "Installing system packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
if ! { apt-get update -q && apt-get install -q -y --no-install-recommends $missing; } </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    echo "The system packages could not be installed; see above." >&2
    exit 1
fi
