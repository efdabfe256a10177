"""Writes the averaged weights as an int8 ONNX file in the NeMo CTC form of sherpa-onnx.

    python export.py --work DIR --out models/starter

makes `asr.onnx` (audio_signal (batch, 80, time), length (batch,) → logprobs (batch, time / 4, 29); weights int8,
one scale a channel) and `asr-tokens.txt`, and checks them against PyTorch with ONNX Runtime.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper

from network import BLANK, CHARACTERS, SUBSAMPLING, Recogniser
from warm import weights

# Smaller weights (norms, biases, scales) stay as they are: they weigh nothing.
LEAST = 2048


def export(model, path: Path):
    """The graph as it was trained, 32 bit."""
    mel, length = torch.randn(1, 80, 237), torch.tensor([237])
    torch.onnx.export(
        model, (mel, length), str(path), input_names=["audio_signal", "length"], output_names=["logprobs"],
        dynamic_axes={"audio_signal": {0: "batch", 2: "time"}, "length": {0: "batch"}, "logprobs": {0: "batch", 1: "frames"}},
        opset_version=17, dynamo=False,
    )  # fmt: skip


def quantise(source: Path, target: Path):
    """Weights of convolutions and dense layers as int8 with a scale for each output channel.

    The numbers themselves stay 32 bit: on a CPU without int8 instructions that is quicker, and a runtime may
    unpack the weights once when it loads the file.
    """
    model = onnx.load(source)
    graph = model.graph
    axes = {}
    for node in graph.node:
        if node.op_type == "Conv":
            axes[node.input[1]] = 0
        elif node.op_type in ("MatMul", "Gemm"):
            turned = any(a.name == "transB" and a.i for a in node.attribute)
            axes[node.input[1]] = 0 if turned else 1
    kept, added, nodes = [], [], []
    for tensor in graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if tensor.name not in axes or weights.size < LEAST:
            kept.append(tensor)
            continue
        axis = axes[tensor.name]
        others = tuple(a for a in range(weights.ndim) if a != axis)
        scale = np.maximum(np.abs(weights).max(axis=others), 1e-8).astype(np.float32) / 127
        shape = [-1 if a == axis else 1 for a in range(weights.ndim)]
        codes = np.clip(np.round(weights / scale.reshape(shape)), -127, 127).astype(np.int8)
        added.append(numpy_helper.from_array(codes, tensor.name + ".int8"))
        added.append(numpy_helper.from_array(scale, tensor.name + ".scale"))
        added.append(numpy_helper.from_array(np.zeros(len(scale), np.int8), tensor.name + ".zero"))
        inputs = [tensor.name + suffix for suffix in (".int8", ".scale", ".zero")]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [tensor.name], tensor.name + ".unpack", axis=axis))
    graph.ClearField("initializer")
    graph.initializer.extend(kept + added)
    for place, node in enumerate(nodes):
        graph.node.insert(place, node)
    graph.ClearField("value_info")
    for key, value in {
        "vocab_size": BLANK, "normalize_type": "per_feature", "subsampling_factor": SUBSAMPLING,
        "model_type": "EncDecCTCModel", "version": "1", "model_author": "linly-edge", "language": "en",
        "licence": "Apache-2.0",
    }.items():  # fmt: skip
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    model.producer_name = "linly-edge"
    onnx.checker.check_model(model)
    onnx.save(model, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("models/train/work"))
    parser.add_argument("--out", type=Path, default=Path("models/starter"))
    parser.add_argument("--weights", default="average", choices=["average", "model"])
    parser.add_argument("--before", type=Path, help="the `asr.onnx` that training went on from, to be averaged with")
    parser.add_argument("--share", type=float, default=0.4, help="how much of the weights is that of --before")
    options = parser.parse_args()
    torch.set_num_threads(1)
    state = torch.load(options.work / "asr" / "checkpoint.pt", map_location="cpu")
    model = Recogniser()
    trained = state[options.weights]
    if options.before:
        # Between two networks of one descent lies one that hears better than both (Wortsman et al. 2022).
        before = weights(options.before, model)
        trained = {name: (1 - options.share) * trained[name] + options.share * before[name] for name in trained}
    model.load_state_dict(trained)
    model.eval()
    model.batched = False
    whole = options.work / "asr" / "asr-float.onnx"
    export(model, whole)
    options.out.mkdir(parents=True, exist_ok=True)
    quantise(whole, options.out / "asr.onnx")
    tokens = ["▁" if character == " " else character for character in CHARACTERS] + ["<blk>"]
    lines = "".join(f"{token} {index}\n" for index, token in enumerate(tokens))
    (options.out / "asr-tokens.txt").write_text(lines)
    for frames in (64, 333):
        mel = torch.randn(1, 80, frames)
        with torch.no_grad():
            expected = model(mel, torch.tensor([frames])).numpy()
        session = onnxruntime.InferenceSession(str(options.out / "asr.onnx"))
        feeds = {"audio_signal": mel.numpy(), "length": np.array([frames])}
        got = session.run(["logprobs"], feeds)[0]
        print(f"{frames} frames: largest difference of a probability {np.abs(np.exp(got) - np.exp(expected)).max():.4f}")


if __name__ == "__main__":
    main()
