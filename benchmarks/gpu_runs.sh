#!/usr/bin/env bash
# Runs of the recipe on one GPU, all at once, each trained and then evaluated on all test images.
#
#   benchmarks/gpu_runs.sh                     ten minutes on CUDA; runs/gpu_runs/NAME
#   benchmarks/gpu_runs.sh --small             a few steps on a CPU, one run after the other
#   --seconds 570 --train 440 --out FOLDER --list FILE
#
# A step of these models is a few hundred small kernels, which leave most of a GPU idle. Where NVIDIA's multi-process
# service is installed, it is started, and the kernels of all runs overlap: on an H200 an epoch of eight runs of AIWAE
# took 1.8 times as long as that of one. A run that is not done after --train seconds is stopped and keeps its
# checkpoint: the same command goes on with it. FILE has a line for each run, its name and the flags of aiwae_train; a
# line that begins with + waits for the one above.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=570 train=440 out=runs/gpu_runs list='' device=cuda more='' few='' fast=--compile
while (($#)); do
  case $1 in
    --small) device=cpu fast='' few='--images 4 --temperatures 10 --leapfrog 1'
      more='--hidden 20 --latent 5 --batch 20 --steps 4'; shift ;;
    --seconds | --train | --out | --list) printf -v "${1#--}" %s "${2:?"$1 needs a value"}"; shift 2 ;;
    *) echo "gpu_runs.sh: unknown flag $1" >&2; exit 2 ;;
  esac
done
[ -z "$list" ] || [ -r "$list" ] || { echo "gpu_runs.sh: no file $list" >&2; exit 2; }
python=${PYTHON:-python} until=$((SECONDS + seconds)) train_until=$((SECONDS + train))
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1
recipe="--dataset mnist --batch 128 --lr 4e-3 --eps 1e-6 --schedule cosine --save_every 60 $fast"
chains=${few:---tolerance 0.05}

command() { # seconds at the latest, name, flags
  local latest=$1 name=$2; shift 2
  timeout -s TERM -k 20 $((latest - SECONDS)) "$python" -c "from aiwae_nb.cli import $name; $name()" "$@"
}

one() { # name, flags of aiwae_train
  local name=$1; shift
  local log="$out/$name.log" on="--device $device"
  command $train_until aiwae_train $recipe "$@" $more --out "$out" --name "$name" $on >> "$log" 2>&1 ||
    { echo "$name: not done, exit code $?"; return; }
  command $until aiwae_evaluate "$out/$name" --samples 500 --chains 16 $chains --training 0 --simulated 0 $on \
    >> "$log" 2>&1 || { echo "$name: not evaluated, exit code $?"; return; }
  echo "$name: $(grep -o '"nll": [0-9.]*' "$out/$name/report.json")"
}

mkdir -p "$out"
if [ $device = cuda ] && type nvidia-cuda-mps-control > /dev/null 2>&1; then
  export CUDA_MPS_PIPE_DIRECTORY=$(mktemp -d); export CUDA_MPS_LOG_DIRECTORY=$CUDA_MPS_PIPE_DIRECTORY
  nvidia-cuda-mps-control -d && trap 'echo quit | nvidia-cuda-mps-control' EXIT
fi
chain=()
begin() { # the runs of `chain`, one after the other
  [ ${#chain[@]} = 0 ] || (for line in "${chain[@]}"; do one $line; done) &
  chain=()
}
while read -r line; do
  [[ -z $line || $line == \#* ]] && continue
  [[ $line == +* ]] || { begin; [ $device = cpu ] && wait; }
  chain+=("${line#+}")
done < <([ -n "$list" ] && cat "$list" || cat <<'RUNS'
aiwae5-0 --model aiwae --objective aiwae --samples 5 --temperatures 5 --epochs 100 --seed 0
aiwae5-1 --model aiwae --objective aiwae --samples 5 --temperatures 5 --epochs 100 --seed 1
aiwae5-2 --model aiwae --objective aiwae --samples 5 --temperatures 5 --epochs 100 --seed 2
iwae5-0 --model iwae --objective iwae --samples 5 --epochs 100 --seed 0
+iwae5-1 --model iwae --objective iwae --samples 5 --epochs 100 --seed 1
+iwae5-2 --model iwae --objective iwae --samples 5 --epochs 100 --seed 2
RUNS
)
begin
wait
