"""The child process that reads PyTorch's pickled weights; it limits itself, then writes what it found as safetensors.

Started by its path, with a folder as argument and the file as its standard input; the answer on its standard output is
empty, or a line of JSON with the reason why not.  It imports nothing of this program, and nothing imports it.
Why a process of its own: docs/decisions/0009-foreign-weights.md.
"""

import contextlib
import json
import math
import os
import re
import struct
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

MEMORY_BYTES = 2 * 2**30
"""Address space above what an imported torch takes."""
CPU_SECONDS = 10
"""Processor time above what importing torch took."""
MAX_TENSOR_BYTES = 2**30
"""All tensors together, as float32; fifty times the largest model that this program shows with ease."""
MAX_ENTRIES = 20_000
"""Values in all mappings of the file, whatever they are."""
MAX_DEPTH = 8
MAX_TENSORS = 4000
MAX_NAME = 512
REFUSED = 3
"""Exit status of a file that cannot be read; the reason is on the standard output."""
OUTPUT = "tensors.safetensors"

_CONTAINERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "vae", "weights")
_NO_WEIGHTS = re.compile(r"optim|sched|scaler|^(ema|loss|epoch|config|args|hparams|hyper_parameters)", re.IGNORECASE)
# What no reading of weights does, and a payload's first step is.
_REFUSED_EVENTS = frozenset(
    {
        "pickle.find_class",
        "os.system",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.mkdir",
        "os.link",
        "os.symlink",
        "os.chmod",
        "os.putenv",
        "shutil.rmtree",
        "subprocess.Popen",
        "pty.spawn",
        "socket.connect",
        "socket.bind",
        "urllib.Request",
        "webbrowser.open",
        "ctypes.dlopen",
    }
)


class RefusedError(Exception):
    """The file holds what is not read; the message says what."""


def main() -> int:
    """Return 0 with the tensors written to the folder, or 3 with the reason on the standard output."""
    folder = Path(sys.argv[1])
    warnings.simplefilter("ignore")
    # An import inside torch.load must not try to write, which is refused there.
    sys.dont_write_bytecode = True
    try:
        import torch  # noqa: PLC0415 - the modules of this folder are imported without it

        torch.set_num_threads(1)
        _limit_this_process()
        with open(0, "rb", closefd=False) as file, _nothing_else():
            found = torch.load(file, map_location="cpu", weights_only=True)  # noqa: TID251 - tensors only, and behind limits
            tensors, skipped = _tensors(_weights_of(found))
        with (folder / OUTPUT).open("wb") as output:
            _write(output, tensors, skipped)
    except RefusedError as error:
        reason = str(error)
    except MemoryError:
        reason = _too_much_memory()
    # A crafted file makes torch raise nearly anything; whatever it is, the file is not read.
    except Exception as error:  # noqa: BLE001
        reason = _reason(error)
    else:
        return 0
    sys.stdout.write(json.dumps({"reason": reason}))
    sys.stdout.flush()
    return REFUSED


def _limit_this_process() -> None:
    try:
        import resource  # noqa: PLC0415 - there is none on Windows, where the parent's clock is the only limit
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime) + CPU_SECONDS
    limits = {
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": seconds,
        "RLIMIT_FSIZE": MAX_TENSOR_BYTES + 64 * 2**20,
        "RLIMIT_NPROC": 0,
    }
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        limits["RLIMIT_AS"] = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY_BYTES
    for name, most in limits.items():
        # A stricter limit of the system's stands; one it does not know is left to the parent's clock.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            resource.setrlimit(getattr(resource, name), (most, most))


@contextlib.contextmanager
def _nothing_else() -> Iterator[None]:
    """Let the interpreter refuse, from here to the end, what a payload would do if torch had let one through."""
    active = [True]

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        # Not to be taken off again: it can only be told to look away.
        if not active:
            return
        if event in _REFUSED_EVENTS or (event == "open" and _writes(*arguments[1:])):
            raise RefusedError(f"it would run code ({event}), which is never done")

    sys.addaudithook(refuse)
    try:
        yield
    finally:
        active.clear()


def _writes(mode: object, flags: object) -> bool:
    by_mode = isinstance(mode, str) and not set(mode) <= set("rbtU")
    return by_mode or (isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)))


def _weights_of(found: object) -> object:
    """Return the part of a checkpoint that holds the weights."""
    if isinstance(found, Mapping):
        for name in _CONTAINERS:
            if isinstance(found.get(name), Mapping) and found[name]:
                return _weights_of_container(found[name])
    return found


def _weights_of_container(found: Mapping[Any, Any]) -> object:
    inner = found.get("state_dict")
    return inner if isinstance(inner, Mapping) and inner else found


def _tensors(found: object) -> tuple[dict[str, Any], list[str]]:
    """Return the tensors by dotted name, and the names of those that are no plain floating-point numbers."""
    if not isinstance(found, Mapping):
        raise RefusedError(f"it holds no state_dict but a {type(found).__name__}; save model.state_dict() instead")
    tensors: dict[str, Any] = {}
    skipped: list[str] = []
    num_bytes = 0
    for name, value in _entries(found):
        if _is_plain(value):
            # By arithmetic: a view of one number may have the shape of the largest tensor.
            num_bytes += value.numel() * 4
            tensors[name] = value
        elif value is not None:
            skipped.append(name)
    if not tensors:
        raise RefusedError("it holds no tensors of floating-point numbers; save model.state_dict() instead")
    if num_bytes > MAX_TENSOR_BYTES or len(tensors) > MAX_TENSORS:
        raise RefusedError(
            f"its {len(tensors):,} tensors would take {num_bytes:,} bytes; "
            f"at most {MAX_TENSORS:,} of {MAX_TENSOR_BYTES:,} bytes are read"
        )
    return tensors, skipped


def _entries(found: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the tensors of nested mappings by dotted name, in the file's order; None for what is none."""
    import torch  # noqa: PLC0415 - imported by main() already

    waiting: list[Iterator[tuple[str, Any]]] = [iter([("", found)])]
    prefixes = [""]
    num_entries = 0
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            prefixes.pop()
            continue
        key, value = entry
        name = f"{prefixes[-1]}{key}"
        num_entries += 1
        if num_entries > MAX_ENTRIES or len(waiting) > MAX_DEPTH or len(name) > MAX_NAME:
            raise RefusedError("its mappings are too deep, too long or have too long names to be a state_dict")
        if isinstance(value, Mapping):
            # Neither a mapping of an optimiser, whose keys are numbers, nor one under a name that says it has none.
            inner = [(key, each) for key, each in value.items() if isinstance(key, str)]
            waiting.append(iter([] if _NO_WEIGHTS.search(key) else inner))
            prefixes.append(f"{name}." if name else "")
        else:
            yield name, value if isinstance(value, torch.Tensor) else None


def _is_plain(tensor: Any) -> bool:  # noqa: ANN401 - torch is not imported with this module
    import torch  # noqa: PLC0415 - imported by main() already

    return bool(
        tensor is not None
        and tensor.is_floating_point()
        and tensor.layout is torch.strided
        and not tensor.is_quantized
        and tensor.device.type == "cpu"
        and tensor.dim() <= 8
    )


def _write(output: IO[bytes], tensors: Mapping[str, Any], skipped: list[str]) -> None:
    """Write a safetensors file, one tensor after the other, so that no second copy of all is made."""
    import torch  # noqa: PLC0415 - imported by main() already

    header: dict[str, object] = {"__metadata__": {"skipped": json.dumps(skipped[:20])}}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.numel() * 4
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode("ascii")
    text += b" " * (-len(text) % 8)
    output.write(struct.pack("<Q", len(text)) + text)
    for tensor in tensors.values():
        output.write(tensor.detach().to(torch.float32).contiguous().numpy().tobytes())


def _reason(error: Exception) -> str:
    text = str(error)
    if re.search(r"alloc|out of memory|Cannot allocate", text) and not re.search(r"GLOBAL", text):
        return _too_much_memory()
    if "TorchScript" in text:
        return "it is a TorchScript program, which would run; save model.state_dict() instead"
    named = re.search(r"GLOBAL ([\w.]{1,120})|(?:class|instantiate) ([\w.]{1,120})", text)
    if named is not None:
        return (
            f"it holds a Python object ({named[1] or named[2]}), and making one runs code; "
            "save model.state_dict() instead of the model"
        )
    # torch's own advice is to load the file without any care.
    told = re.sub(r"Weights only load failed.*?(WeightsUnpickler error:|$)", "", text, flags=re.DOTALL)
    told = " ".join(told.partition("Check the documentation")[0].split())[:160] or type(error).__name__
    return f"it is damaged or no file of PyTorch's weights ({told})"


def _too_much_memory() -> str:
    return f"reading it takes more than {MEMORY_BYTES // 2**30} GB of memory"


if __name__ == "__main__":
    sys.exit(main())
