#!/bin/bash
# Stop what up.sh started, by its pid files, and take its configuration away. Argument: the folder of its state.
# A slurm.conf without a controller makes every Snakemake that has the Slurm plugin wait ten seconds.
folder=$1
timeout 20 scancel --user="$(id -un)" 2>/dev/null
for name in slurmd.n1 slurmd.n2 slurmd.n3 slurmctld slurmdbd mariadbd; do
	[ -s "$folder/run/$name.pid" ] && kill "$(cat "$folder/run/$name.pid")" 2>/dev/null
done
[ -s /run/munge/munged.pid ] && kill "$(cat /run/munge/munged.pid)" 2>/dev/null
rm -f /etc/slurm/slurm.conf /etc/slurm/slurmdbd.conf
