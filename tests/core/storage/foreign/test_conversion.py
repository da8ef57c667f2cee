"""Files of PyTorch's weights: what they hold is a model here, whatever else they hold is never run."""

import io
import os
import subprocess
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.models.build import build_latent_model, load_weights
from core.storage.foreign import unpickling
from core.storage.foreign.conversion import convert, mapped
from core.storage.foreign.process import read_tensors
from core.storage.model_file import ModelFileError, load_model, save_model


class Vae(nn.Module):
    """The VAE of PyTorch's own examples, smaller."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 20)
        self.fc21 = nn.Linear(20, 3)
        self.fc22 = nn.Linear(20, 3)
        self.fc3 = nn.Linear(3, 20)
        self.fc4 = nn.Linear(20, 64)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance."""
        hidden = torch.relu(self.fc1(x))
        return self.fc21(hidden), self.fc22(hidden)

    def decode(self, z: Tensor) -> Tensor:
        """Return the pixels' probabilities."""
        return torch.sigmoid(self.fc4(torch.relu(self.fc3(z))))


@pytest.fixture
def vae() -> Vae:
    torch.manual_seed(3)
    return Vae()


def written(path: Path, value: object, **options: Any) -> Path:
    """Write what torch.save() writes of a value."""
    torch.save(value, path, **options)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        convert(path)
    assert repr(str(path)) in str(caught.value)
    return caught.value.reason


def test_a_converted_model_encodes_and_decodes_as_the_original(tmp_path: Path, vae: Vae) -> None:
    found = convert(written(tmp_path / "vae.pt", vae.state_dict()))
    save_model(tmp_path / "vae.safetensors", found.saved)
    saved = load_model(tmp_path / "vae.safetensors")
    assert saved.provenance == found.saved.provenance
    assert saved.provenance["converted_from"] == "vae.pt"
    assert len(saved.provenance["converted_sha256"]) == 64
    assert "fc21" in saved.provenance["conversion"]
    model = build_latent_model(saved.config.model, None)
    load_weights(model, saved.weights)
    x, z = torch.rand(5, 64), torch.randn(5, 3)
    with torch.no_grad():
        posterior = model.inference(x)
        mean, log_var = vae.encode(x)
        torch.testing.assert_close(posterior.mean, mean)
        torch.testing.assert_close(posterior.log_var, log_var)
        torch.testing.assert_close(torch.sigmoid(model.generative(z)), vae.decode(z))


@pytest.mark.parametrize(
    "pack",
    [
        lambda state, _: OrderedDict(state),
        lambda state, _: {"state_dict": state},
        lambda state, module: {"epoch": 3, "model_state_dict": state, "optimizer_state_dict": _adam(module)},
        lambda state, _: {"model": {"state_dict": state}, "args": {"lr": 1e-3}},
        lambda state, _: {f"module.{name}": tensor.half().float() for name, tensor in state.items()},
        lambda state, module: {"vae": state, "optim": _adam(module), "num_batches": torch.tensor(3)},
        lambda state, _: {name: tensor.to(torch.float64) for name, tensor in state.items()},
        lambda state, _: {name: tensor.t().clone().t() for name, tensor in state.items()},
    ],
)
def test_every_usual_way_to_pack_a_state_is_read(vae: Vae, pack: Callable[[dict[str, Tensor], nn.Module], Any]) -> None:
    found, skipped = unpickling._tensors(unpickling._weights_of(pack(vae.state_dict(), vae)))
    _, weights, _ = mapped({name: tensor.float().numpy() for name, tensor in found.items()}, {})
    np.testing.assert_allclose(weights["decoder.layers.1.weight"], vae.fc4.weight.detach().numpy(), atol=1e-3)
    assert not skipped


def test_a_file_from_before_the_zip_format_is_read(tmp_path: Path, vae: Vae) -> None:
    packed = {"epoch": 3, "model_state_dict": vae.state_dict(), "optimizer_state_dict": _adam(vae)}
    found = convert(written(tmp_path / "v.pth", packed, _use_new_zipfile_serialization=False))
    np.testing.assert_array_equal(found.saved.weights["decoder.layers.1.weight"], vae.fc4.weight.detach().numpy())


def _adam(module: nn.Module) -> dict[str, Any]:
    optimiser = torch.optim.Adam(module.parameters())
    for parameter in module.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    return optimiser.state_dict()


def test_what_is_no_floating_point_tensor_is_left_out_and_named(tmp_path: Path, vae: Vae) -> None:
    state = {**vae.state_dict(), "steps": torch.tensor(7), "mask": torch.zeros(3).to_sparse()}
    found = convert(written(tmp_path / "v.pt", state))
    assert found.note.endswith("Left out, not being plain numbers: steps, mask.")


def _torchscript(_: Vae) -> bytes:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(3, 2)), file)
    return file.getvalue()


def _saved(value: object) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


@pytest.mark.filterwarnings("ignore:.torch.jit")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (_saved, "a Python object"),
        (lambda vae: _saved({"state_dict": vae.state_dict(), "seen": np.float64(3.0)}), "a Python object (numpy"),
        (_torchscript, "a TorchScript program"),
        (lambda _: _saved(torch.zeros(3)), "no state_dict but a Tensor"),
        (lambda vae: _saved(vae.state_dict())[:-60], "damaged or no file of PyTorch's weights"),
        (lambda _: b"garbage", "damaged or no file of PyTorch's weights"),
        (lambda _: b"", "0 bytes"),
    ],
)
def test_what_is_not_weights_is_refused_with_the_reason(
    tmp_path: Path, vae: Vae, content: Callable[[Vae], bytes], reason: str
) -> None:
    (tmp_path / "x.pt").write_bytes(content(vae))
    found = refusal(tmp_path / "x.pt")
    assert reason in found
    assert "weights_only" not in found


def _nested() -> dict[str, Any]:
    state: dict[str, Any] = {"a": torch.zeros(2)}
    for _ in range(12):
        state = {"inner": state}
    return state


def _circle() -> dict[str, Any]:
    state: dict[str, Any] = {"a": torch.zeros(2)}
    state["self"] = state
    return state


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({"epoch": 3}, "no tensors of floating-point numbers"),
        ([torch.zeros(3)], "no state_dict but a list"),
        ({"a": torch.zeros(1).expand(2**20, 2**20)}, "at most 4,000 of 1,073,741,824 bytes"),
        ({str(number): torch.zeros(1) for number in range(5000)}, "at most 4,000"),
        ({str(number): number for number in range(30_000)}, "too deep, too long"),
        ({"a" * 600: torch.zeros(1)}, "too long names"),
        (_nested(), "too deep"),
        (_circle(), "too deep"),
    ],
)
def test_what_is_no_state_of_a_model_is_refused_before_it_is_written(found: object, reason: str) -> None:
    with pytest.raises(unpickling.RefusedError, match=reason):
        unpickling._tensors(unpickling._weights_of(found))


def test_a_folder_a_pipe_and_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    assert "a folder" in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "nowhere.pt")
    os.mkfifo(tmp_path / "pipe.pt")
    assert "it is a pipe or a device" in refusal(tmp_path / "pipe.pt")


def test_a_file_of_any_name_can_be_converted(tmp_path: Path, vae: Vae) -> None:
    content = _saved(vae.state_dict())
    for name in ("a\nb'\"😀.pt", os.fsdecode(b"\xff\xfe.pt")):
        (tmp_path / name).write_bytes(content)
        found = convert(tmp_path / name)
        save_model(tmp_path / "out.safetensors", found.saved)
        assert found.saved.provenance["converted_from"].isprintable()


def test_a_bomb_in_the_archive_meets_the_limit_on_memory(tmp_path: Path, vae: Vae) -> None:
    """A storage of 2.3 GiB of zeros, deflated: torch inflates it whole."""
    source = zipfile.ZipFile(io.BytesIO(_saved(vae.state_dict())))
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb:
        for info in source.infolist():
            name = info.filename
            if name.endswith("data/0"):
                with bomb.open(name, "w", force_zip64=True) as member:
                    for _ in range(150):
                        member.write(bytes(2**24))
            else:
                bomb.writestr(name, source.read(info))
    assert (tmp_path / "bomb.pt").stat().st_size < 2**24
    assert "memory" in refusal(tmp_path / "bomb.pt")


def test_waiting_for_the_child_can_be_given_up(tmp_path: Path, vae: Vae) -> None:
    path = written(tmp_path / "v.pt", vae.state_dict())
    looks: list[int] = []

    def give_up() -> None:
        looks.append(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(path, waiting=give_up)
    assert looks == [1]


def test_a_child_that_takes_too_long_is_given_up(tmp_path: Path, vae: Vae) -> None:
    path = written(tmp_path / "v.pt", vae.state_dict())
    with pytest.raises(ModelFileError, match=r"more than 0\.05 s and was given up"):
        read_tensors(path, wall_seconds=0.05)


_WRITES = """
import sys, numpy, safetensors.numpy
safetensors.numpy.save_file({{"a": numpy.zeros(3, "{}")}}, sys.argv[1] + "/tensors.safetensors", {})
"""


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.abort()", "ended with status -6"),
        ("import sys; sys.exit(9)", "ended with status 9"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "too much memory, and was given up"),
        ("import sys; sys.stdout.write('{}'); sys.exit(3)", "ended with status 3"),
        ("import sys; sys.stdout.write('[' * 10**6); sys.exit(3)", "ended with status 3"),
        ('import sys; sys.stdout.write(\'{"reason": "a\\\\u0007b"}\'); sys.exit(3)', "a?b"),
        ("pass", "No such file"),
        ("import sys; open(sys.argv[1] + '/tensors.safetensors', 'wb').write(b'x' * 99)", "not a safetensors file"),
        (_WRITES.format("i8", None), "did not become float32"),
        (_WRITES.format("f4", {"skipped": "7"}), "is none"),
    ],
)
def test_the_child_is_not_believed(
    tmp_path: Path, vae: Vae, monkeypatch: pytest.MonkeyPatch, program: str, reason: str
) -> None:
    path = written(tmp_path / "v.pt", vae.state_dict())
    (tmp_path / "other.py").write_text(program)
    with monkeypatch.context() as patch:
        patch.setattr(unpickling, "__file__", str(tmp_path / "other.py"))
        assert reason in refusal(path)


def test_the_child_refuses_what_a_payload_would_do(tmp_path: Path) -> None:
    """The interpreter's own audit, should torch ever let a payload through; in a child, since a hook stays for ever."""
    program = tmp_path / "payload.py"
    program.write_text(
        "import os, sys, subprocess, pickle\n"
        "from core.storage.foreign.unpickling import RefusedError, _nothing_else\n"
        "acts = [lambda: os.system('true'), lambda: subprocess.run(['true']), lambda: open(sys.argv[1], 'w'),\n"
        "        lambda: os.open(sys.argv[1], os.O_CREAT), lambda: os.fork(), lambda: os.mkdir(sys.argv[1]),\n"
        "        lambda: pickle.loads(b'cos\\nsystem\\n.'), lambda: __import__('socket').create_server(('', 0))]\n"
        "with _nothing_else():\n"
        "    for act in acts:\n"
        "        try:\n"
        "            act()\n"
        "        except RefusedError:\n"
        "            continue\n"
        "        raise SystemExit('not refused')\n"
        "    open(__file__).read()\n"
        "open(sys.argv[1], 'w').close()\n"
    )
    root = Path(unpickling.__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [sys.executable, str(program), str(tmp_path / "canary")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "canary").exists()
