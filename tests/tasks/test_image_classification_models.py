"""Networks: torchvision's parameter names, and what is said about weights that do not fit."""

from pathlib import Path

import pytest
from image_classification import resnet50

from harness.config import ModelConfig
from harness.errors import HarnessError
from harness.models import weights

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

DEPTHS, WIDTHS = (3, 4, 6, 3), (64, 128, 256, 512)


def torchvision_names():
    """Shapes of the 267 tensors (without counters) in MLPerf's resnet50-19c8e357.pth."""
    shapes = {"conv1.weight": (64, 3, 7, 7), "fc.weight": (1000, 2048), "fc.bias": (1000,)}
    shapes |= batch_norm("bn1", 64)
    before = 64
    for layer, (depth, width) in enumerate(zip(DEPTHS, WIDTHS), start=1):
        for block in range(depth):
            name = f"layer{layer}.{block}"
            shapes |= {f"{name}.conv1.weight": (width, before, 1, 1), f"{name}.conv2.weight": (width, width, 3, 3)}
            shapes |= {f"{name}.conv3.weight": (4 * width, width, 1, 1)}
            shapes |= batch_norm(f"{name}.bn1", width) | batch_norm(f"{name}.bn2", width)
            shapes |= batch_norm(f"{name}.bn3", 4 * width)
            if block == 0:
                shapes |= {f"{name}.downsample.0.weight": (4 * width, before, 1, 1)}
                shapes |= batch_norm(f"{name}.downsample.1", 4 * width)
            before = 4 * width
    return shapes


def batch_norm(name, width):
    return {f"{name}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")}


def random_state():
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in torchvision_names().items():
        tensor = torch.randn(shape, generator=generator) * 0.05
        state[name] = tensor.abs() + 0.5 if name.endswith("running_var") else tensor
        if name.endswith("weight") and len(shape) == 1:
            state[name] = tensor + 1
    return state


def reference(state, x):
    """ResNet-50 v1.5 written out with torchvision's names: the stride sits in the 3x3 convolution."""
    f = torch.nn.functional

    def norm(x, name):
        return f.batch_norm(x, *(state[f"{name}.{p}"] for p in ("running_mean", "running_var", "weight", "bias")))

    x = f.max_pool2d(norm(f.conv2d(x, state["conv1.weight"], stride=2, padding=3), "bn1").relu(), 3, 2, 1)
    for layer, depth in enumerate(DEPTHS, start=1):
        for block in range(depth):
            name, stride = f"layer{layer}.{block}", 2 if block == 0 and layer > 1 else 1
            y = norm(f.conv2d(x, state[f"{name}.conv1.weight"]), f"{name}.bn1").relu()
            y = norm(f.conv2d(y, state[f"{name}.conv2.weight"], stride=stride, padding=1), f"{name}.bn2").relu()
            y = norm(f.conv2d(y, state[f"{name}.conv3.weight"]), f"{name}.bn3")
            if block == 0:
                x = norm(f.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride), f"{name}.downsample.1")
            x = (x + y).relu()
    return f.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("resnet50") / "resnet50.pth"
    torch.save(random_state(), path)
    return path


def test_official_names_load_and_compute_the_same(weights_file):
    config = ModelConfig(name="resnet50", architecture="image_classification.resnet50:build", weights=str(weights_file))
    module = resnet50.build(config).eval()
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(module(x)[0], reference(random_state(), x), rtol=1e-3, atol=1e-3)


def test_misfits_are_counted_and_named(tmp_path):
    state = random_state()
    del state["fc.bias"]
    state["extra"] = torch.zeros(1)
    state["conv1.weight"] = torch.zeros(1)
    path = tmp_path / "wrong.pth"
    torch.save(state, path)
    with pytest.raises(HarnessError) as caught:
        resnet50.build(ModelConfig(name="r", architecture="image_classification.resnet50:build", weights=str(path)))
    assert caught.value.kind == "weights"
    assert "1 missing (classifier.1.bias); 1 unexpected (extra); 1 of another shape (resnet.embedder" in (
        caught.value.cause
    )


def test_no_code_is_run_from_a_weights_file(tmp_path):
    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    path = tmp_path / "evil.pth"
    torch.save({"a": Evil()}, path)
    with pytest.raises(HarnessError, match="cannot be read"):
        weights.read_state_dict(path)
    assert not (tmp_path / "ran").exists()
    torch.save([1, 2], path)
    with pytest.raises(HarnessError, match="not a state dict"):
        weights.read_state_dict(path)
