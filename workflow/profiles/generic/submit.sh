#!/bin/sh
# Submit a job and print its id, alone. Arguments: rule, cores, memory (MB), time (minutes), GPUs, script.
set -eu
rule=$1 cores=$2 memory=$3 minutes=$4 gpus=$5 script=$6

# Your site's: uncomment and change.
# export SBATCH_PARTITION=main
# export SBATCH_ACCOUNT=project

logs=.snakemake/cluster
mkdir -p "$logs"
[ "$gpus" -eq 0 ] || export SBATCH_GPUS="$gpus"
# --no-requeue: Snakemake sends a lost job elsewhere at once, where Slurm waits for its node to come back.
exec sbatch --parsable --no-requeue --job-name="twinbench-$rule" --cpus-per-task="$cores" --mem="$memory" \
	--time="$minutes" --output="$logs/%x-%j.log" "$script"
