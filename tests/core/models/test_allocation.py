"""What a model needs when it is made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
BUILD = """
import sys, torch
from core.config import ModelConfig
from core.models.build import build_model
model = build_model(ModelConfig.from_mapping({{"model": "{name}"}}), torch.Generator().manual_seed(1))
assert all(tensor.device.type == "cpu" for tensor in [*model.parameters(), *model.buffers()])
assert all(parameter.requires_grad for parameter in model.parameters())
print("sympy" in sys.modules)
"""


@pytest.mark.parametrize("name", ["vae", "made"])
def test_a_model_is_made_without_half_a_second_of_sympy(name: str) -> None:
    done = subprocess.run(  # noqa: S603 - this program
        [sys.executable, "-c", BUILD.format(name=name)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "False"
