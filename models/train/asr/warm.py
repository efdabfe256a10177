"""Makes a checkpoint of a shipped `asr.onnx`, so that training goes on from it instead of from nothing.

    python warm.py --work DIR [--model models/starter/asr.onnx]

writes `DIR/asr/checkpoint.pt`, after comparing PyTorch's answers with ONNX Runtime's. The phoneme teacher and the
optimiser begin anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

from network import Recogniser

# Where training is taken to be: behind the first steps, which go gently.
STEP = 20_000


def weights(path: Path, model: Recogniser) -> dict[str, torch.Tensor]:
    """The network's tensors by name, unpacked to 32 bit."""
    graph = onnx.load(path).graph
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            codes, scale = (tensors[name].astype(np.float32) for name in node.input[:2])
            axis = next(a.i for a in node.attribute if a.name == "axis")
            tensors[node.output[0]] = codes * scale.reshape([-1 if a == axis else 1 for a in range(codes.ndim)])
    # Dense layers have lost their names; they come in the order of the network.
    products = [node for node in graph.node if node.op_type == "MatMul"]
    names = [name for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)]
    order = ["early.grow", "early.shrink", *(name for name in names if name.startswith("blocks.")), "split"]
    assert len(order) == len(products) == len(names)
    for name, node in zip(order, products):
        tensors[f"{name}.weight"] = tensors[node.input[1]].T.copy()
    return {name: torch.from_numpy(tensors[name].copy()) for name in model.state_dict()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("models/train/work"))
    parser.add_argument("--model", type=Path, default=Path("models/starter/asr.onnx"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = Recogniser()
    model.load_state_dict(weights(options.model, model))
    model.eval()
    mel = torch.randn(1, 80, 400)
    with torch.no_grad():
        ours = model(mel, torch.tensor([400])).numpy()
    session = onnxruntime.InferenceSession(str(options.model))
    theirs = session.run(["logprobs"], {"audio_signal": mel.numpy(), "length": np.array([400])})[0]
    difference = np.abs(np.exp(ours) - np.exp(theirs)).max()
    print(f"largest difference of a probability {difference:.1e}")
    assert difference < 1e-3, "this is another network"
    target = options.work / "asr" / "checkpoint.pt"
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model.state_dict(), "average": model.state_dict(), "step": STEP}, target)


if __name__ == "__main__":
    main()
