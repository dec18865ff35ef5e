#!/usr/bin/env bash
# The long training of the embedded family, stage after stage, at low priority:
#
#     scripts/train_forever.sh [FOLDER]        (FOLDER: runs)
#
# Picks up what FOLDER holds: renders the data that is missing, then trains the codec, encodes latents, trains
# text-to-image at 128 px, then at 256 px. Every slice ends with a whole checkpoint. It ends on SIGTERM, once
# FOLDER/.stop exists (delete that to start again), and when all is done. Start it from a clone of its own, so
# that changes of the code do not reach a run:
#
#     git clone . runs/frozen && setsid nohup runs/frozen/scripts/train_forever.sh "$PWD/runs" > runs/forever.log 2>&1 &
#
# CODEC (the shipped one): folder of a finished AutoencoderKL; empty: a new one is trained. BASE: folder of a base
# (unet/, text_encoder/, …) that was trained elsewhere and goes on learning.
# CORES (1): with 2 or more, rendering goes on beside training. PICTURES (60000): of each kind. PHOTOS: folder of
# the photographs, or nothing. PYTHON (python): with handwright[train,synth]. SLICE_MINUTES (60): data that came
# meanwhile is seen from the next slice on.
set -euo pipefail
code=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-runs}" && cd "${1:-runs}"
export PYTHONPATH="$code/src${PYTHONPATH:+:$PYTHONPATH}" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8000000000 MALLOC_TOP_PAD_=67108864 # glibc keeps freed memory
: "${CODEC=$code/src/handwright/weights/tiny/vae}" "${BASE:=}"
: "${PYTHON:=python}" "${CORES:=1}" "${PICTURES:=60000}" "${PHOTOS:=}" "${SLICE_MINUTES:=60}" "${ROUND:=2500}"
: "${CODEC_STEPS:=40000}" "${BASE_STEPS:=32000}" "${LARGE_STEPS:=10000}"

stopped() { [ -e .stop ] || [ -n "${ended:-}" ]; }
child=; renderer=
trap 'ended=1; [ -z "$child" ] || kill "$child" 2>/dev/null || true' TERM INT
trap '[ -z "$renderer" ] || kill "$renderer" 2>/dev/null || true' EXIT

run() {  # a command at low priority; SIGTERM reaches it, and it is waited for
    nice -n 15 "$@" & child=$!
    local status=0
    wait "$child" || status=$?
    while kill -0 "$child" 2>/dev/null; do status=0; wait "$child" || status=$?; done  # a signal ends a wait early
    child=
    [ "$status" = 0 ] || stopped || { echo "failed ($status): $*"; exit 1; }
}

pictures() { local n=0 f; for f in "world/$1"/*.tar; do [ ! -e "$f" ] || n=$((n + 250)); done; echo "$n"; }

render_round() {  # the next pictures of every kind that has too few; fails when nothing is missing
    local kind there missing=1
    for kind in hands people defects; do
        stopped && return 1
        there=$(pictures "$kind")
        [ "$there" -lt "$PICTURES" ] || continue
        missing=0
        run "$PYTHON" -m handwright synth --kind "$kind" --n $((there + ROUND)) --size 256 --seed 2026 -o "world/$kind"
    done
    return $missing
}

render() {
    [ -z "$PHOTOS" ] || [ -e world/photographs/photographs.csv ] || stopped ||
        run "$PYTHON" "$code/scripts/make_photograph_pictures.py" "$PHOTOS" -o world/photographs
    [ "$(pictures hands)" -gt 0 ] && [ "$(pictures people)" -gt 0 ] || render_round || true
}

steps_of() {  # steps of a run's newest checkpoint
    local newest
    newest=$(ls -d "$1"/checkpoints/step-* 2>/dev/null | tail -n 1 || true)
    [ -n "$newest" ] && echo $((10#${newest##*-})) || echo 0
}

train() {  # train DATA RUN STEPS MEMBER OPTIONS…: in slices until STEPS are done; data is added in between
    local data=$1 folder=$2 steps=$3; shift 3
    until stopped || [ "$(steps_of "$folder")" -ge "$steps" ]; do
        case $data in latents_*) latents "$data" "${data#latents_}" ;; esac
        run "$PYTHON" -m handwright train "$@" --data "$data" -o "$folder" --resume --max-train-steps "$steps" \
            --max-minutes "$SLICE_MINUTES" --mixed-precision bf16 --stop-file .stop
        case $data in latents_*) measured "$folder" "${data#latents_}" ;; esac
        [ "$CORES" -gt 1 ] || render_round || true
    done
}

measured() {  # measured RUN RESOLUTION: add to RUN/kid.jsonl how near its model has come to held-out pictures
    stopped || run "$PYTHON" "$code/scripts/measure_base.py" "$1/model" --shards world --resolution "$2" \
        --note "step $(steps_of "$1")" -o "$1/kid.jsonl"
}

latents() {  # latents FOLDER RESOLUTION: encode what is not encoded yet
    stopped || run "$PYTHON" "$code/scripts/encode_latents.py" world --vae "${CODEC:-codec_v2/model/vae}" --resolution "$2" -o "$1"
}

render
if [ "$CORES" -gt 1 ] && ! stopped; then
    (child=; while ! stopped && render_round; do :; done) & renderer=$!
fi
[ -n "$CODEC" ] || train world codec_v2 "$CODEC_STEPS" autoencoder --latent-channels 16 --resolution 128 --seed 28 \
    --train-batch-size 4 --learning-rate 3e-4 --lr-decay-steps 4000 --discriminator-from 25000
train latents_128 base_128 "$BASE_STEPS" text_to_image ${BASE:+--model "$BASE"} --seed 28 \
    --train-batch-size 32 --learning-rate 3e-4 --lr-decay-steps 3000 --checkpointing-minutes 10
train latents_256 base_256 "$LARGE_STEPS" text_to_image --model base_128/model --seed 28 \
    --train-batch-size 16 --learning-rate 1e-4 --lr-decay-steps 2000 --checkpointing-minutes 10
stopped && echo "stopped" || echo "all stages are done"
