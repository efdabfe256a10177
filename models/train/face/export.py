"""Writes the trained network as ONNX with 8-bit weights: `face.onnx`.

    python export.py --work ../work/face --out ../../starter

Weights are rounded to int8 with one scale per output channel and a DequantizeLinear
in front of each convolution; sums stay in float32. So the file is small, any ONNX
runtime reads it, and the error is below what a mouth shows.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from features import BANDS
from model import CONTEXT, MouthShapes
from visemes import SHAPE


def graph_of(network):
    """The ONNX graph: `mel` float32 [1, CONTEXT, BANDS] to `mouth` float32 [1, 1, 6]."""
    nodes, weights = [], []

    def weight(name, values):
        weights.append(numpy_helper.from_array(values, name))
        return name

    nodes.append(helper.make_node("Transpose", ["mel"], ["bands"], perm=[0, 2, 1]))
    nodes.append(helper.make_node("Add", ["bands", weight("shift", np.float32([9]))], ["shifted"]))
    nodes.append(helper.make_node("Mul", ["shifted", weight("scale", np.float32([0.25]))], ["h"]))
    last = "h"
    for i, layer in enumerate(network.layers):
        out = f"h{i}"
        if isinstance(layer, nn.Conv1d):
            full = layer.weight.detach().numpy()
            step = np.abs(full).max((1, 2)) / 127
            whole = np.clip(np.round(full / step[:, None, None]), -127, 127).astype(np.int8)
            inputs = [weight(f"w{i}", whole), weight(f"w{i}_step", step.astype(np.float32)), weight(f"w{i}_zero", np.zeros(len(step), np.int8))]
            nodes.append(helper.make_node("DequantizeLinear", inputs, [f"w{i}_full"], axis=0))
            bias = weight(f"b{i}", layer.bias.detach().numpy())
            nodes.append(helper.make_node("Conv", [last, f"w{i}_full", bias], [out], kernel_shape=list(layer.kernel_size), strides=list(layer.stride)))
        else:
            nodes.append(helper.make_node("Relu", [last], [out]))
        last = out
    nodes.append(helper.make_node("Sigmoid", [last], ["shares"]))
    nodes.append(helper.make_node("Transpose", ["shares"], ["mouth"], perm=[0, 2, 1]))
    inputs = [helper.make_tensor_value_info("mel", TensorProto.FLOAT, [1, CONTEXT, BANDS])]
    outputs = [helper.make_tensor_value_info("mouth", TensorProto.FLOAT, [1, 1, len(SHAPE)])]
    return helper.make_graph(nodes, "mouth-shapes", inputs, outputs, weights)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--work", type=Path, default=Path(__file__).parent.parent / "work" / "face")
    arguments.add_argument("--out", type=Path, default=Path(__file__).parent.parent.parent / "starter")
    options = arguments.parse_args()
    network = MouthShapes()
    network.load_state_dict(torch.load(options.work / "best.pt", map_location="cpu"))
    model = helper.make_model(graph_of(network), opset_imports=[helper.make_opsetid("", 13)], producer_name="linly-edge")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "face.onnx"
    onnx.save(model, path)

    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    x = np.random.default_rng(1).normal(-8, 3, (64, 1, CONTEXT, BANDS)).astype(np.float32)
    with torch.no_grad():
        full = np.stack([network(torch.from_numpy(one)).numpy() for one in x])
    small = np.stack([session.run(None, {"mel": one})[0] for one in x])
    print(f"{path}: {path.stat().st_size} bytes, rounding changes a shape by {np.abs(full - small).max():.4f} at most")


if __name__ == "__main__":
    main()
