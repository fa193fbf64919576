#!/bin/sh
# Runs its arguments with the first Python that is new enough.
for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$python" >/dev/null 2>&1 &&
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$python" "$@"
    fi
done
echo "Clew needs Python 3.11 or newer as python3 (Debian: apt-get install python3 python3-venv)." >&2
exit 1
