"""Writes the trained decoder as ONNX with the names of the public Qwen2.5 and SmolLM2 exports.

    python export.py --work DIR --out models/starter

makes llm.onnx (weights int8, one scale a column, computed as float32 once loaded) and
llm-tokenizer.json. `--form fp32` and `--form dynamic` make the files to compare it with.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from model import Shape, rotation

#: Positions that the rotary table covers.
CONTEXT = 1024


class Graph:
    def __init__(self, int8):
        self.nodes, self.tensors, self.int8 = [], {}, int8

    def constant(self, name, array):
        self.tensors.setdefault(name, numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def integers(self, *values):
        return self.constant("i_" + "_".join(map(str, values)), np.array(values, np.int64))

    def weight(self, name, array, axis):
        """A matrix; in int8 with one scale for each index of `axis`."""
        if not self.int8:
            return self.constant(name, array.astype(np.float32))
        scale = np.maximum(np.abs(array).max(axis=1 - axis, keepdims=True), 1e-8) / 127
        codes = np.clip(np.round(array / scale), -127, 127).astype(np.int8)
        self.constant(name + ".int8", codes)
        self.constant(name + ".scale", scale.astype(np.float32))
        # Both runtimes do this once, while they load the file.
        return self.add("Mul", self.add("Cast", name + ".int8", to=TensorProto.FLOAT), name + ".scale")

    def add(self, kind, *inputs, out=None, **attributes):
        out = out or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], name=out, **attributes))
        return out


def build(weights, shape, int8):
    g = Graph(int8)
    w = {k: v.float().numpy() for k, v in weights.items()}
    heads, kv, head, rotary = shape.heads, shape.kv_heads, shape.head, shape.rotary
    half = rotary // 2
    group = heads // kv

    def norm(x, weight):
        square = g.add("ReduceMean", g.add("Mul", x, x), axes=[-1], keepdims=1)
        root = g.add("Sqrt", g.add("Add", square, g.constant("epsilon", np.array(1e-6, np.float32))))
        return g.add("Mul", g.add("Div", x, root), g.constant(weight, w[weight]))

    def linear(x, name):
        y = g.add("MatMul", x, g.weight(name + ".weight", w[name + ".weight"].T, 1))
        if name + ".bias" in w:
            y = g.add("Add", y, g.constant(name + ".bias", w[name + ".bias"]))
        return y

    cos, sin = (t.numpy() for t in rotation(shape, CONTEXT))
    cos = g.add("Unsqueeze", g.add("Gather", g.constant("cos", cos), "position_ids"), g.integers(1))
    sin = g.add("Unsqueeze", g.add("Gather", g.constant("sin", sin), "position_ids"), g.integers(1))

    def rotate(x):
        part = lambda low, high: g.add("Slice", x, g.integers(low), g.integers(high), g.integers(3))  # noqa: E731
        turned = g.add("Concat", g.add("Neg", part(half, rotary)), part(0, half), axis=3)
        turned = g.add("Add", g.add("Mul", part(0, rotary), cos), g.add("Mul", turned, sin))
        return g.add("Concat", turned, part(rotary, head), axis=3)

    # Token i is seen from position p when i is not after p and is no padding.
    zero, one = (g.constant(n, np.array(v, np.int64)) for n, v in (("zero", 0), ("one", 1)))
    total = g.add("Squeeze", g.add("Slice", g.add("Shape", "attention_mask"), g.integers(1), g.integers(2)), g.integers(0))
    index = g.add("Unsqueeze", g.add("Range", zero, total, one), g.integers(0, 1))
    seen = g.add("LessOrEqual", index, g.add("Unsqueeze", "position_ids", g.integers(2)))
    real = g.add("Cast", g.add("Unsqueeze", "attention_mask", g.integers(1)), to=TensorProto.BOOL)
    bias = g.add("Where", g.add("And", seen, real), g.constant("nought", np.array(0, np.float32)), g.constant("never", np.array(-1e9, np.float32)))
    bias = g.add("Unsqueeze", bias, g.integers(1, 2))

    embed = g.weight("embed.weight", w["embed.weight"], 0)
    x = g.add("Gather", embed, "input_ids")
    scale = g.constant("scale", np.array(head**-0.5, np.float32))
    for n in range(shape.layers):
        name = f"layers.{n}."
        h = norm(x, name + "norm_attention.weight")
        q = g.add("Transpose", g.add("Reshape", linear(h, name + "query"), g.integers(0, 0, heads, head)), perm=[0, 2, 1, 3])
        k = g.add("Transpose", g.add("Reshape", linear(h, name + "key"), g.integers(0, 0, kv, head)), perm=[0, 2, 1, 3])
        v = g.add("Transpose", g.add("Reshape", linear(h, name + "value"), g.integers(0, 0, kv, head)), perm=[0, 2, 1, 3])
        k = g.add("Concat", f"past_key_values.{n}.key", rotate(k), axis=2, out=f"present.{n}.key")
        v = g.add("Concat", f"past_key_values.{n}.value", v, axis=2, out=f"present.{n}.value")
        q = g.add("Reshape", g.add("Mul", rotate(q), scale), g.integers(0, kv, group, -1, head))
        k = g.add("Unsqueeze", g.add("Transpose", k, perm=[0, 1, 3, 2]), g.integers(2))
        scores = g.add("Softmax", g.add("Add", g.add("MatMul", q, k), bias), axis=-1)
        a = g.add("MatMul", scores, g.add("Unsqueeze", v, g.integers(2)))
        a = g.add("Reshape", g.add("Transpose", a, perm=[0, 3, 1, 2, 4]), g.integers(0, 0, heads * head))
        x = g.add("Add", x, linear(a, name + "out"))
        h = norm(x, name + "norm_feed.weight")
        gate = linear(h, name + "gate")
        gate = g.add("Mul", gate, g.add("Sigmoid", gate))
        x = g.add("Add", x, linear(g.add("Mul", gate, linear(h, name + "up")), name + "down"))
    x = norm(x, "norm.weight")
    g.add("MatMul", x, g.add("Transpose", embed, perm=[1, 0]), out="logits")

    new, past, total = "sequence_length", "past_sequence_length", "past_sequence_length + sequence_length"
    value = helper.make_tensor_value_info
    inputs = [value("input_ids", TensorProto.INT64, ["batch_size", new])]
    inputs.append(value("attention_mask", TensorProto.INT64, ["batch_size", total]))
    inputs.append(value("position_ids", TensorProto.INT64, ["batch_size", new]))
    outputs = [value("logits", TensorProto.FLOAT, ["batch_size", new, shape.vocabulary])]
    for n in range(shape.layers):
        for part in ("key", "value"):
            inputs.append(value(f"past_key_values.{n}.{part}", TensorProto.FLOAT, ["batch_size", kv, past, head]))
            outputs.append(value(f"present.{n}.{part}", TensorProto.FLOAT, ["batch_size", kv, total, head]))
    graph = helper.make_graph(g.nodes, "decoder", inputs, outputs, list(g.tensors.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], producer_name="linly-edge")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--form", choices=["int8", "fp32", "dynamic"], default="int8")
    args = parser.parse_args()
    saved = torch.load(args.work / "model.pt", map_location="cpu", weights_only=True)
    model = build(saved["weights"], Shape(**saved["shape"]), args.form == "int8")
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "llm.onnx"
    onnx.save(model, path)
    if args.form == "dynamic":
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(path, path, weight_type=QuantType.QInt8, per_channel=True)
        model = onnx.load(path)
        del model.graph.value_info[:]
        onnx.save(model, path)
    shutil.copy(args.work / "tokenizer.json", args.out / "llm-tokenizer.json")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
