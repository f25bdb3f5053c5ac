#!/bin/sh
# Print what became of a job. Argument: its machine's folder. What was killed wrote no status.
if [ -f "$1/status" ]; then
	[ "$(cat "$1/status")" = 0 ] && echo success || echo failed
elif kill -0 "$(cat "$1/pid")" 2>/dev/null; then
	echo running
else
	echo failed
fi
