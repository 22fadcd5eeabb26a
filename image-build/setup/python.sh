#!/usr/bin/env bash
# Prints the Python to use: the first of 3.11 to 3.13 that runs.
set -euo pipefail

for name in python3.11 python3 python3.12 python3.13; do
    path=$(command -v $name) || continue
    # A version manager's stand-in may be there without the Python behind it, so ask it.
    if "$path" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
        echo "$path"
        exit
    fi
done
echo "set-up: no Python 3.11, 3.12 or 3.13 here; name one with: make PYTHON=/path/to/python3.11" >&2
exit 1
