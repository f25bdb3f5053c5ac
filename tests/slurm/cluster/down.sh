#!/bin/bash
# Stop what up.sh started, jobs included, by its pid files, and take its configuration away. Argument: the folder of its state.
# A slurm.conf without a controller makes every Snakemake that has the Slurm plugin wait ten seconds.
folder=$1
[ -d "$folder" ] || exit 0

alive() { # pid; a zombie, where nothing reaps, does not live
	grep -q '^State:[[:space:]]*[^ZX[:space:]]' /proc/"$1"/status 2>/dev/null
}
wait_until() { # seconds, command...
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}
nothing_runs() { [ -z "$(timeout 10 squeue --noheader 2>/dev/null)" ] && [ -z "$(find "$folder"/spool -type s 2>/dev/null)" ]; }
gone() { ! alive "$1"; }

# Only a node's daemon ends what runs on the node.
if alive "$(cat "$folder/run/slurmctld.pid" 2>/dev/null)"; then
	for node in n{1..7}; do alive "$(cat "$folder/run/slurmd.$node.pid" 2>/dev/null)" || slurmd -N $node; done
	timeout 20 scancel --user="$(id -un)"
	wait_until 30 nothing_runs
fi
for name in slurmd.n{1..7} slurmctld slurmdbd mariadbd munged; do
	file=$folder/run/$name.pid
	pid=$(cat "$file" 2>/dev/null) && alive "$pid" || continue
	kill "$pid"
	wait_until 10 gone "$pid" || kill -9 "$pid"
done
"$(dirname "$0")/sweep.sh" "TWINBENCH_TEST_CLUSTER=$folder"
rm -f /etc/slurm/slurm.conf /etc/slurm/slurmdbd.conf
rm -rf "$folder"
