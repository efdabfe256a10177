#!/usr/bin/env python3
"""Writes the trained voice in the form in which the engine runs it.

Weights are stored as int8 with one scale per output channel and are multiplied out when the graph is
loaded: a quarter of the bytes, and on both backends as fast as float32, because the arithmetic of
these small convolutions in int8 is slower than in float32 on a CPU.
"""

import argparse
import json
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from network import KNOTS, ORDER, OUTPUTS, PATH, PLACE, STEP, Mouth, Reader, paths
from sounds import NAMES, PAUSES
from train import HELD, Material, batch_of

WINDOW = 80  # steps in a run of Mouth; the engine knows it too
SMALLEST = 2048  # weights with fewer numbers stay float32
# Above how many Hz voiced sound is breath. Sounds not named here are open: EDGE.
EDGE = 4500.0
EDGES = {"v": 1800, "dh": 1800, "z": 1200, "zh": 1400, "jh": 1500, "b": 3000, "d": 3000, "g": 3000, "hh": 2000,
         "m": 3800, "n": 3800, "ng": 3800, "l": 4200, "r": 4200, "w": 4000, "y": 4200,
         "p": 2000, "t": 2000, "k": 2000, "f": 1500, "th": 1500, "s": 1200, "sh": 1200, "ch": 1500}


def quantise(model):
    """Stores large weights as int8; per output channel (the first axis) where that is one of a convolution."""
    kept, nodes = [], []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < SMALLEST or values.ndim < 2:
            kept.append(weight)
            continue
        axes = tuple(range(1, values.ndim))
        scale = np.maximum(np.abs(values).max(axis=axes), 1e-8) / 127
        shape = (-1,) + (1,) * len(axes)
        small = np.clip(np.round(values / scale.reshape(shape)), -127, 127).astype(np.int8)
        name = weight.name
        kept += [numpy_helper.from_array(small, name + "_int8"),
                 numpy_helper.from_array(scale.astype(np.float32), name + "_scale"),
                 numpy_helper.from_array(np.zeros(len(scale), np.int8), name + "_zero")]
        nodes.append(helper.make_node(
            "DequantizeLinear", [name + "_int8", name + "_scale", name + "_zero"], [name], axis=0))
    rest = list(model.graph.node)
    del model.graph.node[:], model.graph.initializer[:], model.graph.value_info[:]
    model.graph.node.extend(nodes + rest)
    model.graph.initializer.extend(kept)
    onnx.checker.check_model(model)
    return model


def liveliness(reader, mouth, utterances):
    """By how much the teacher's parameters move more than ours, for each parameter of a frame.

    Learning the likeliest value flattens what is said, which sounds muffled and sleepy. Measured where
    the voice sounds, on sentences that were not learned from.
    """
    said, wanted = [], []
    with torch.no_grad():
        for first in range(0, len(utterances), 8):
            phones, marks, _, mask, sound, weights, place, target, there = batch_of(utterances[first:first + 8])
            knots, _ = reader(phones, marks, mask)
            chosen = there.squeeze(1) > 0
            said.append(mouth(paths(knots, sound, weights, place), there)[chosen].reshape(-1, OUTPUTS))
            wanted.append(target[chosen].reshape(-1, OUTPUTS))
    said, wanted = torch.cat(said), torch.cat(wanted)
    voiced = wanted[:, ORDER + 1] > 0.5
    ratio = (wanted[voiced].std(0) / said[voiced].std(0)).clamp(1.0, 1.25)
    # Loudness and voicing stay what they are.
    ratio[0] = ratio[ORDER + 1] = 1.0
    distance = 10 / np.log(10) * (2 * (said - wanted)[:, 1:ORDER].square().sum(1)).sqrt().mean()
    hertz = (said[voiced, ORDER].exp() - wanted[voiced, ORDER].exp()).square().mean().sqrt()
    wrong = ((said[:, ORDER + 1] > 0) != voiced).float().mean()
    print(f"held out: mel-cepstral distance {distance:.2f} dB, pitch {hertz:.1f} Hz, voicing wrong in {100 * wrong:.1f} %")
    return ratio


def write(network, example, path, names_in, names_out, axes):
    full = path.with_suffix(".fp32.onnx")
    torch.onnx.export(network, example, full, input_names=names_in, output_names=names_out, dynamic_axes=axes,
                      opset_version=17, dynamo=False)
    onnx.save(quantise(onnx.load(full)), path)
    run = lambda file: onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(
        None, {name: value.numpy() for name, value in zip(names_in, example)})
    for name, exact, found in zip(names_out, run(full), run(path)):
        print(f"{path.name} {name}: int8 differs by {np.abs(exact - found).mean() / exact.std():.4f} of the spread")
    full.unlink()


def main():
    here = pathlib.Path(__file__).resolve()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, default=here.parents[1] / "work" / "tts")
    parser.add_argument("--out", type=pathlib.Path, default=here.parents[2] / "starter")
    parser.add_argument("--loudness", type=float, default=-10.5)
    parser.add_argument("--sharpen", type=float, default=0.0)
    parser.add_argument("--pace", type=float, default=1.05)
    options = parser.parse_args()
    torch.set_num_threads(1)
    saved = torch.load(options.work / "voice.pt", map_location="cpu")
    reader, mouth = Reader().eval(), Mouth().eval()
    reader.load_state_dict(saved["reader"])
    mouth.load_state_dict(saved["mouth"])
    held = Material(options.work / "material.npz").utterances[:HELD]
    mouth.spread *= liveliness(reader, mouth, held).repeat(STEP)
    options.out.mkdir(parents=True, exist_ok=True)
    sounds = torch.randint(4, len(NAMES), (1, 30))
    marks = torch.randint(0, 6, (1, 30))
    write(reader, (sounds, marks), options.out / "tts-reader.onnx", ["input", "marks"], ["knots", "durations"],
          {"input": {1: "sounds"}, "marks": {1: "sounds"}, "knots": {1: "sounds"}, "durations": {1: "sounds"}})
    with torch.no_grad():
        knots = reader(sounds, marks)[0][0, :, :PATH].T
    path = torch.cat([knots.repeat_interleave(5, 1)[:, :WINDOW], torch.rand(PLACE, WINDOW)])[None]
    write(mouth, (path,), options.out / "tts-mouth.onnx", ["path"], ["output"], {})
    edges = [EDGES.get(name, EDGE) if name not in PAUSES else EDGE for name in NAMES]
    description = {"sample_rate": 16000, "described_rate": 32000, "warp": 0.45, "sharpen": options.sharpen,
                   "loudness": options.loudness, "pace": options.pace, "knots": KNOTS, "path": PATH,
                   "sounds": NAMES, "edges": edges}
    (options.out / "tts.json").write_text(json.dumps(description) + "\n")


if __name__ == "__main__":
    main()
