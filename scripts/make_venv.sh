#!/bin/sh
# Make a virtual environment with the first Python on this machine that is new enough, or say what is missing.
set -u
folder=$1

for candidate in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2]))' 2>/dev/null; then
        echo "Making a virtual environment in $folder with $("$candidate" --version) ..."
        if "$candidate" -m venv "$folder"; then
            exit 0
        fi
        rm -rf "$folder"
        echo "The virtual environment could not be made." >&2
        echo "On Debian and Ubuntu the module venv is a package of its own: install python3-venv, then try again." >&2
        exit 1
    fi
done

echo "Python 3.11 or newer is needed, and was not found." >&2
found=$(python3 --version 2>&1) && echo "The python3 here is: $found" >&2
echo "Install a newer Python, or name one: PYTHON=/path/to/python3.12 make ..." >&2
exit 1
