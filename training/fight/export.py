"""The trained network as one small ONNX file."""

from pathlib import Path

import numpy as np
import onnx
import torch
from i3d import I3D
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor, nn

from tynysh.perception.clip_window import SIDE, STEPS

OPSET = 17
SMALLEST = 4096
"""Weights with fewer numbers than this stay in float32."""


class Whole(nn.Module):
    """Brightness and the number of people near each other in, calibrated probability of a fight out."""

    def __init__(
        self, trunk: I3D, weights: dict[str, NDArray[np.float64]], bias: float, people: float
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.weights = nn.ParameterList(
            [torch.tensor(weights[name]).float()[:, None] for name in ("4f", "5c")]
        )
        self.bias = nn.Parameter(torch.tensor(bias).float())
        self.people = nn.Parameter(torch.tensor(people).float())

    def forward(self, pictures: Tensor, people: Tensor) -> Tensor:
        middle, last = self.trunk(pictures)
        seen = (middle @ self.weights[0] + last @ self.weights[1])[:, 0]
        return torch.sigmoid(seen + self.people * torch.log(people + 1.0) + self.bias)


def write_network(
    trunk: I3D, weights: dict[str, NDArray[np.float64]], bias: float, people: float, path: Path
) -> int:
    """Write trunk and calibrated heads to `path`, convolutions in 8 bits per weight; the size in bytes.

    people: weight of the logarithm of one more than the people near each other.
    """
    whole = Whole(trunk, weights, bias, people).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        whole,
        (torch.zeros(1, STEPS, SIDE, SIDE), torch.zeros(1)),
        str(path),
        input_names=["pictures", "people"],
        output_names=["probability"],
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(path)
    _compress(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path.stat().st_size


def _compress(graph: onnx.GraphProto) -> None:
    """Large weights as int8 with one scale per output channel: half a step of at most 1/254 of the largest."""
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 3 or values.size < SMALLEST:
            continue
        scales = np.maximum(np.abs(values).max(axis=tuple(range(1, values.ndim))), 1e-8) / 127.0
        steps = np.round(values / scales.reshape(-1, *[1] * (values.ndim - 1))).astype(np.int8)
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(steps, f"{tensor.name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scales.astype(np.float32), f"{tensor.name}.scale"))
        zeros = np.zeros(len(scales), dtype=np.int8)
        graph.initializer.append(numpy_helper.from_array(zeros, f"{tensor.name}.zero"))
        inputs = [f"{tensor.name}.{part}" for part in ("int8", "scale", "zero")]
        graph.node.insert(0, helper.make_node("DequantizeLinear", inputs, [tensor.name], axis=0))
