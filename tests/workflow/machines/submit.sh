#!/bin/sh
# Start a job on a machine of its own: a new folder with nothing in it, its own home and temporary folder, and no variables
# but how to find the programs. Prints the folder. Argument: the job's script, the last one.
set -eu
machine=$(mktemp -d "$MACHINES/XXXXXX")
mkdir "$machine/work" "$machine/home" "$machine/tmp"
cp "$1" "$machine/script"
cd "$machine/work"
setsid env -i PATH="$PATH" PYTHONPATH="$PLUGINS" HOME="$machine/home" TMPDIR="$machine/tmp" TF_CPP_MIN_LOG_LEVEL=2 \
	sh -c 'sh ../script >../log 2>&1 && status=0 || status=$?; echo $status >../status' >/dev/null 2>&1 &
echo $! >"$machine/pid"
echo "$machine"
