"""Pickles that would make a canary, written opcode by opcode: nothing here can read one, let alone run it."""

import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

from benchmarks.fuzz.data_bases import npy, npz, pictures
from benchmarks.fuzz.monsters import npy_text, png

STOP = b"."
_OBJECTS = "{{'descr': '|O', 'fortran_order': False, 'shape': {}, }}"
CANARY = "canary"
"""What a payload would make, in the folder of its trial."""


def text(value: str) -> bytes:
    """Return the opcode of a text."""
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def number(value: int) -> bytes:
    """Return the opcode of a whole number of 32 bits."""
    return b"J" + struct.pack("<i", value)


def name_of(module: str, name: str) -> bytes:
    """Return the opcode that imports a name."""
    return f"c{module}\n{name}\n".encode()


def call(module: str, name: str, *arguments: bytes) -> bytes:
    """Return the opcodes that import something and call it."""
    return name_of(module, name) + b"(" + b"".join(arguments) + b"tR"


def gadgets(canary: str) -> dict[str, bytes]:
    """Return pickles, without their last opcode, by name; each makes what begins with `canary` when it is read."""
    touch = text(f"touch '{canary}'")
    python = f"open({canary!r}, 'w').close()"
    path, write = text(canary), text("w")
    system, run = name_of("os", "system"), b"0" + call("os", "system", touch)
    reduced = b"c_functools\nreduce\n(coperator\nconcat\n" + path + b"tR"
    interpreter = call("code", "InteractiveInterpreter")
    return {
        "os.system": call("os", "system", touch),
        "posix.system": call("posix", "system", touch),
        "nt.system": call("nt", "system", touch),
        "os.popen": call("os", "popen", touch),
        "subprocess.Popen": call("subprocess", "Popen", b"]" + text("touch") + b"a" + path + b"a"),
        "subprocess.getoutput": call("subprocess", "getoutput", touch),
        "builtins.eval": call("builtins", "eval", text(python)),
        "builtins.exec": call("builtins", "exec", text(python)),
        "__builtin__.eval": call("__builtin__", "eval", text(python)),
        "builtins.open": call("builtins", "open", path, write),
        "io.FileIO": call("_io", "FileIO", path, write),
        "os.open": call("posix", "open", path, number(0o101)),
        "os.mkdir": call("os", "mkdir", path),
        "pathlib": b"\x80\x04" + call("pathlib", "Path.touch", call("pathlib", "PosixPath", path)),
        "runpy": call("runpy", "_run_code", call("builtins", "compile", text(python), text("x"), text("exec")), b"}"),
        "code": b"\x80\x04" + call("code", "InteractiveInterpreter.runsource", interpreter, text(python)),
        "timeit": call("timeit", "timeit", text(python), text("pass"), name_of("time", "perf_counter"), number(1)),
        "cProfile": call("cProfile", "run", text(python)),
        "profile": call("profile", "run", text(python)),
        "codeop": call("builtins", "eval", call("codeop", "compile_command", text(python))),
        "reduce": reduced + run,
        "map": call("builtins", "list", call("builtins", "map", system, b"(" + touch + b"t")),
        "operator": call("_operator", "call", system, touch),
        "logging": call("logging", "FileHandler", path),
        "sqlite3": call("sqlite3", "connect", path),
        "gzip": call("gzip", "open", path, write),
        "shutil": call("shutil", "copyfile", text("/dev/null"), path),
        "shelve": call("dbm.dumb", "open", path, text("c")),
        "pty.spawn": call("pty", "spawn", b"]" + text("touch") + b"a" + path + b"a"),
        "ctypes": call("ctypes", "CDLL", b"N") + run,
        "pickle.loads": call("_pickle", "loads", b"C" + _short(call("os", "system", touch) + STOP)),
        "torch.Size": call("torch", "Size") + run,
        "torch.hub": call("torch.hub", "set_dir", path) + run,
        "numpy": call("numpy", "memmap", path, text("u1"), text("w+"), number(0), number(4)),
        "build": b"ccollections\nOrderedDict\n)R}" + text("items") + system + b"sb" + run,
        "newobj": b"\x80\x02ccollections\nOrderedDict\n)\x81" + run,
        "inst": b"(" + touch + b"ios\nsystem\n",
        "obj": b"(" + system + touch + b"o",
        "stack_global": b"\x80\x04\x8c\x02os\x8c\x06system\x93" + touch + b"\x85R",
    }  # fmt: skip


def _short(data: bytes) -> bytes:
    return bytes((len(data),)) + data


def containers() -> dict[str, Callable[[bytes], bytes]]:
    """Return what a pickle can be hidden in, by the file's name: each takes opcodes without the last one."""
    picture = pictures()
    plain = npy(picture)
    return {
        "zip.pt": lambda code: torch_zip({"data.pkl": b"\x80\x02" + code + STOP}),
        "zip behind tensors.pt": lambda code: torch_zip({"data.pkl": b"\x80\x02}(" + text("a") + code + b"u" + STOP}),
        "zip in an optimiser.ckpt": lambda code: torch_zip(
            {"data.pkl": b"\x80\x02}(" + text("state_dict") + b"}" + text("optimizer") + code + b"u" + STOP}
        ),
        "torchscript.pt": lambda code: torch_zip(
            {**dict.fromkeys(("data.pkl", "constants.pkl", "code/x.debug_pkl"), code + STOP), "code/__torch__.py": b""}
        ),
        "legacy.pt": lambda code: _legacy_start() + b"\x80\x02" + code + STOP + b"\x80\x02]" + STOP,
        "legacy at once.pth": lambda code: code + STOP,
        "legacy in its system.pth": lambda code: _magic() + b"\x80\x02M\xe9\x03." + code + STOP + b"\x80\x02}" + STOP,
        "tar.pth": _torch_tar,
        "polyglot.pt": lambda code: code + STOP + torch_zip({"data.pkl": b"\x80\x02" + code + STOP}),
        "object.npy": lambda code: npy_text(_OBJECTS.format("(6, 8, 8)"), code + STOP),
        "raw.npy": lambda code: code + STOP,
        "object.npz": lambda code: npz(
            {"images.npy": plain, "labels.npy": npy_text(_OBJECTS.format("(6,)"), code + STOP)}
        ),
        "raw.npz": lambda code: npz({"images.npy": code + STOP, "images.pkl": code + STOP}),
        "header.npy": lambda code: npy_text("{'descr': __import__('os'), 'x': " + repr(code) + "}", plain),
        "metadata.safetensors": _metadata,
        "renamed zip.safetensors": lambda code: torch_zip({"data.pkl": b"\x80\x02" + code + STOP}),
        "renamed.safetensors": lambda code: code + STOP,
        "packed.idx.gz": lambda code: gzip.compress(code + STOP, mtime=0),
        "packed zip.gz": lambda code: gzip.compress(torch_zip({"data.pkl": code + STOP}), mtime=0),
        "text.png": lambda code: png(8, 8, zlib.compress(bytes(72)), (b"tEXt", b"a\0" + code + STOP)),
        "settings.ini": _settings,
    }  # fmt: skip


def torch_zip(members: dict[str, bytes]) -> bytes:
    """Return a zip archive as torch.save() lays it out."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {**members, "version": b"3\n", "byteorder": b"little"}.items():
            archive.writestr(f"archive/{name}", data)
    return file.getvalue()


def _magic() -> bytes:
    return b"\x80\x02\x8a\x0a" + bytes.fromhex("6cfc9c46f9206aa85019") + STOP


def _legacy_start() -> bytes:
    return _magic() + b"\x80\x02M\xe9\x03." + b"\x80\x02}" + STOP


def _torch_tar(code: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            info = tarfile.TarInfo(name)
            data = code + STOP
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def _metadata(code: bytes) -> bytes:
    shown = (code + STOP).decode("latin-1")
    metadata = {"format": "latent-explorer model", "version": "1", "config": shown, "notes": shown, "provenance": shown}
    head = json.dumps({"__metadata__": metadata}).encode()
    return struct.pack("<Q", len(head)) + head


def _settings(code: bytes) -> bytes:
    """Return a file of settings with a pickled value, as PySide writes it."""
    data = code + STOP
    value = struct.pack(">IBI", 0x7F, 0, 24) + b"PySide::PyObjectWrapper\0" + struct.pack(">i", len(data)) + data
    return b"[window]\ntheme=@Variant(" + "".join(f"\\x{each:x}" for each in value).encode() + b")\n"


def floods() -> dict[str, Callable[[], bytes]]:
    """Return what makes files of weights that take time or memory without end, by name; they name nothing forbidden."""
    # A tuple of two, of which each is the tuple before: its hash takes 2^200 steps.
    laughs = b"\x80\x02})" + b"".join(b"q\x00h\x00\x86" for _ in range(200)) + b"Ns" + STOP
    long = b"\x80\x02" + call("builtins", "bytearray", b"\x8a\x06" + bytes(5) + b"\x10") + STOP
    four = b"\x80\x02" + call("builtins", "bytearray", number(2**31 - 1)) * 4 + STOP
    nested = b"\x80\x02" + b"]" * 3_000_000 + b"a" * 2_999_999 + STOP
    return {
        "billion laughs.pt": lambda: torch_zip({"data.pkl": laughs}),
        "billion laughs, legacy.pt": lambda: _legacy_start() + laughs + b"\x80\x02].",
        "bytes of 16 TB.pt": lambda: torch_zip({"data.pkl": long}),
        "bytes of 8 GB.pt": lambda: torch_zip({"data.pkl": four}),
        "lists.pt": lambda: torch_zip({"data.pkl": nested}),
        "text of 4 GB.pt": lambda: torch_zip({"data.pkl": b"\x80\x02X\xff\xff\xff\xff" + STOP}),
        "zeros.pt": _zeros,
    }


def _zeros() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("archive/data.pkl", "w", force_zip64=True) as member:
            for _ in range(160):
                member.write(bytes(2**24))
        archive.writestr("archive/version", b"3\n")
    return file.getvalue()
