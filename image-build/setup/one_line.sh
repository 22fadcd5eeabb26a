#!/usr/bin/env bash
# Reads what pip says and shows it as one line that changes, or now and then a line where there
# is no terminal. Complaints do not come this way: pip writes them to its error output.
set -euo pipefail

count=0
while read -r word name _; do
    case "$word $name" in
        Collecting*) count=$((count + 1)) && text="$count $name" ;;
        Building*) text="building $name" ;;
        "Installing collected") text="installing $count packages" ;;
        *) continue ;;
    esac
    if [ -t 1 ]; then
        printf '\r\033[K        %s' "$text"
    elif [ "$word" = Installing ] || [ $((count % 15)) = 0 ]; then
        echo "        $text"
    fi
done
[ ! -t 1 ] || printf '\r\033[K'
