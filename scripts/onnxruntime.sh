#!/bin/sh
# Puts ONNX Runtime's library where the tests and benches look for it: out/onnxruntime/libonnxruntime.so.
# It comes from the Python package of the same name; without it only the backend tract is tested.
set -eu
cd "$(dirname "$0")/.."
library=out/onnxruntime/libonnxruntime.so
[ -e "$library" ] && exit 0
mkdir -p out/onnxruntime
python3 -m pip download --quiet --no-deps --only-binary=:all: --dest out/onnxruntime onnxruntime==1.24.4 ||
    python3 -m pip download --quiet --no-deps --only-binary=:all: --dest out/onnxruntime 'onnxruntime>=1.24'
python3 - <<'PYTHON'
import glob, pathlib, zipfile

wheel = zipfile.ZipFile(sorted(glob.glob("out/onnxruntime/*.whl"))[-1])
name = next(name for name in wheel.namelist() if "libonnxruntime.so" in name)
pathlib.Path("out/onnxruntime/libonnxruntime.so").write_bytes(wheel.read(name))
PYTHON
rm -f out/onnxruntime/*.whl
