#!/usr/bin/env bash
# Reads what pip says and shows it as one line that changes, or now and then a line where there
# is no terminal. Complaints do not come this way: pip writes them to its error output.
set -euo pipefail

count=0
while read -r first second rest; do
    text=""
    case "$first $second" in
        Collecting*) count=$((count + 1)) && text="$count $second" ;;
        "Building wheel") text="building ${rest#for }" ;;
        "Installing collected") text="installing what was found" ;;
    esac
    if [ -t 1 ]; then
        [ -z "$text" ] || printf '\r\033[K        %s' "$text"
    elif [ "$first" = Installing ] || { [ "$first" = Collecting ] && [ $((count % 15)) = 0 ]; }; then
        [ -z "$text" ] || echo "        $text"
    fi
done
[ ! -t 1 ] || printf '\r\033[K'
