#!/bin/sh
# Checks and measures Hexin's cuda backend on this machine's GPU: README.md.
exec python3 "$(dirname "$0")/run.py" "$@"
