#!/bin/sh
# Print what became of a job: running, success or failed. Argument: its id.
# It asks the controller, which needs no accounting. A controller that does not answer says nothing about the job.
out=$(scontrol -o show job "$1" 2>&1) || {
	case $out in
	*"Invalid job id"*) echo failed ;;
	*) echo running ;;
	esac
	exit 0
}
case $out in
*JobState=COMPLETED\ *) echo success ;;
*JobState=PENDING\ * | *JobState=CONFIGURING\ * | *JobState=RUNNING\ * | *JobState=COMPLETING\ *) echo running ;;
*JobState=SUSPENDED\ *) echo running ;;
*)
	# Snakemake shows what is written here to the user.
	state=${out#*JobState=} nodes=${out#* NodeList=} log=${out#* StdOut=}
	echo "Slurm's job $1 on ${nodes%% *} ended: ${state%% *}; see ${log%% *}" >&2
	echo failed
	;;
esac
