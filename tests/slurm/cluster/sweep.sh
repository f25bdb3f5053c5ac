#!/bin/bash
# Kill every process that a job of the test cluster left. Argument: the folder of the cluster's state.
for process in /proc/[0-9]*; do
	grep -qzx "TWINBENCH_TEST_CLUSTER=$1" "$process/environ" 2>/dev/null && kill -9 "${process#/proc/}" 2>/dev/null
done
exit 0
