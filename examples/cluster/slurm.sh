#!/usr/bin/env bash
# handwright batch on the nodes of a SLURM job: sbatch slurm.sh PICTURES SINK
# Both lie on storage that all nodes see; handwright[batch] is installed in VENV, at the same path on all nodes.
#SBATCH --job-name=handwright-batch
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem-per-cpu=2G
#SBATCH --time=12:00:00
#SBATCH --signal=B:TERM@120
set -euo pipefail
source "${VENV:?set VENV to the environment that has handwright[batch]}/bin/activate"
export RAY_USAGE_STATS_ENABLED=0 MALLOC_ARENA_MAX=1 # one heap a worker, not one a thread
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
address=$(srun --nodes=1 --ntasks=1 -w "$head" hostname --ip-address | cut -d' ' -f1):6379

srun --nodes=1 --ntasks=1 -w "$head" \
    ray start --head --port=6379 --num-cpus="$SLURM_CPUS_PER_TASK" --include-dashboard=false --block &
sleep 20
if ((SLURM_NNODES > 1)); then
    srun --nodes=$((SLURM_NNODES - 1)) --ntasks=$((SLURM_NNODES - 1)) --exclude="$head" \
        ray start --address="$address" --num-cpus="$SLURM_CPUS_PER_TASK" --block &
fi
sleep 20
# One core stays free for reading. A job that ran out of time goes on when it is submitted again.
handwright batch "$1" -o "$2" --address "$address" --workers $((SLURM_NNODES * SLURM_CPUS_PER_TASK - 1))
