"""Model files, damaged: by a byte, by a field of the header or the metadata, or by a piece of another file."""

import contextlib
import json
import random
import struct
from collections.abc import Callable
from typing import Any

Header = dict[str, Any]

_NUMBERS = (0, 1, -1, 2, 3, 7, 8, 127, 255, 256, 2**16, 2**31 - 1, 2**31, 2**32, 2**40, 2**53, 2**63, 2**64, 2**70)
_VALUES: tuple[object, ...] = (
    *_NUMBERS,
    -(2**63),
    10**400,
    0.5,
    -0.0,
    1e308,
    1e-320,
    True,
    False,
    None,
    "",
    "abc",
    "\ud800",
    "\0",
    "1e999",
    "ÿ" * 300,
    [],
    [[]],
    {},
    [1, 2, 3],
    [0],
    [-1],
    [2**40] * 9,
    ["512", 256],
    {"a": {"b": []}},
)
_TEXTS = (
    "",
    "0",
    "1",
    "01",
    "2",
    "99999999999",
    "²",
    "NaN",
    "{}",
    "[]",
    "null",
    "true",
    '"x"',
    "[" * 2000,
    '{"a":' * 500,
)
_DTYPES = ("F32", "F64", "F16", "BF16", "I64", "I32", "U8", "BOOL", "F8_E4M3", "f32", "", "O", "F4")
_LENGTHS = (0, 1, 7, 8, 2**20, 2**26, 2**26 + 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
_BAD_FLOATS = (b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\0\0\x80\xff", b"\xff\xff\xff\x7f", b"\1\0\x80\x7f", b"\0\0\0\x80")


_NOTHING_TO_DAMAGE = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
_MOST_BYTES = 2**22
"""Two damages that each repeat can make a file of gigabytes, which only shows how long it is to make."""


class File:
    """A model file taken apart: `header` as JSON has it, `body` as it lies there; `text` replaces the header if set."""

    def __init__(self, data: bytes) -> None:
        (length,) = struct.unpack("<Q", data[:8])
        self.header: Header = json.loads(data[8 : 8 + length])
        self.body = bytearray(data[8 + length :])
        self.text: str | None = None

    def to_bytes(self) -> bytes:
        """Return the file put together again."""
        text = json.dumps(self.header) if self.text is None else self.text
        encoded = text.encode("utf-8", "surrogatepass")
        encoded += b" " * (-len(encoded) % 8)
        return struct.pack("<Q", len(encoded)) + encoded + bytes(self.body)

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata; a fresh mapping where there is none any more."""
        found = self.header.get("__metadata__")
        return found if isinstance(found, dict) else {}

    def tensors(self) -> list[str]:
        """Names of the tensors."""
        return [name for name in self.header if name != "__metadata__"]


def mutated(bases: list[bytes], seed: int, index: int) -> bytes:
    """Return the damaged file of a number; the same every time."""
    # Not the global generator, and quicker to make than numpy's.
    rng = random.Random((seed << 48) + index)  # noqa: S311 - no secret
    data = rng.choice(bases)
    if rng.random() < 0.25:
        return _of_bytes(rng, data, bases)
    file = File(data)
    for _ in range(1 + (rng.random() < 0.3)):
        # What an earlier damage left may no longer be what the next one takes apart.
        with contextlib.suppress(*_NOTHING_TO_DAMAGE):
            rng.choice(_PARTS)(rng, file)
    data = file.to_bytes()[:_MOST_BYTES]
    return _of_bytes(rng, data, bases) if rng.random() < 0.1 else data


def _of_bytes(rng: random.Random, data: bytes, bases: list[bytes]) -> bytes:
    with contextlib.suppress(*_NOTHING_TO_DAMAGE):
        return rng.choice(_BYTES)(rng, data, bases)
    return data


def _some_tensor(rng: random.Random, file: File) -> dict[str, Any]:
    names = file.tensors()
    entry = file.header[rng.choice(names)] if names else {}
    return entry if isinstance(entry, dict) else {}


def _shape(rng: random.Random, file: File) -> None:
    shape = _some_tensor(rng, file).get("shape")
    if not isinstance(shape, list):
        return
    match rng.randrange(6):
        case 0 if shape:
            shape[rng.randrange(len(shape))] = rng.choice(_VALUES)
        case 1:
            shape.append(rng.choice((1, 0, *_NUMBERS)))
        case 2:
            shape.reverse()
        case 3 if shape:
            shape.pop()
        case 4 if len(shape) == 2 and all(type(side) is int for side in shape):
            shape[:] = [shape[0] * shape[1]]
        case _:
            shape[:] = [rng.choice(_NUMBERS) for _ in range(rng.randrange(12))]


def _offsets(rng: random.Random, file: File) -> None:
    entry = _some_tensor(rng, file)
    offsets = entry.get("data_offsets")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(each) is int for each in offsets):
        entry["data_offsets"] = rng.choice(_VALUES)
        return
    step = rng.choice((-8, -4, -1, 1, 4, 8, *_NUMBERS))
    match rng.randrange(4):
        case 0:
            offsets[rng.randrange(2)] += step
        case 1:
            offsets[:] = [offsets[0] + step, offsets[1] + step]
        case 2:
            offsets.reverse()
        case _:
            offsets[:] = list(_some_tensor(rng, file).get("data_offsets") or [])


def _dtype(rng: random.Random, file: File) -> None:
    _some_tensor(rng, file)["dtype"] = rng.choice(_DTYPES)


def _entry(rng: random.Random, file: File) -> None:
    names = file.tensors()
    if not names:
        return
    name, other = rng.choice(names), rng.choice(names)
    match rng.randrange(7):
        case 0:
            del file.header[name]
        case 1:
            file.header[name] = rng.choice(_VALUES)
        case 2:
            file.header[rng.choice(("weights/x", "history/x", "optimiser/x", "x", "", other))] = file.header[name]
        case 3:
            file.header[name], file.header[other] = file.header[other], file.header[name]
        case 4:
            entry = file.header[name]
            if isinstance(entry, dict):
                entry[rng.choice(("more", "dtype", "shape", "data_offsets"))] = rng.choice(_VALUES)
        case 5:
            file.header[rng.choice((other.upper(), other + ".0", other[:-1], "\ud800"))] = file.header.pop(name)
        case _:
            for number in range(rng.choice((3, 300, 5000))):
                file.header[f"optimiser/{number}"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}


def _config(rng: random.Random, file: File) -> None:
    try:
        values = json.loads(file.metadata["config"])
        section = values[rng.choice(list(values))]
        name = rng.choice(list(section))
    except (KeyError, ValueError, TypeError, IndexError):
        return
    match rng.randrange(8):
        case 0:
            del section[name]
        case 1:
            section[rng.choice(("wings", "", "x" * 500, name.upper()))] = rng.choice(_VALUES)
        case 2:
            values[rng.choice(("model", "data", "training", "objective", "more"))] = rng.choice(_VALUES)
        case 3:
            section[name] = _neighbour(rng, section[name])
        case 4:
            section[name] = [section[name]] * rng.choice((1, 3, 100))
        case _:
            section[name] = rng.choice(_VALUES)
    file.metadata["config"] = json.dumps(values)


def _neighbour(rng: random.Random, value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return rng.choice(
            ("vae", "iwae", "made", "autoencoder", "sparse_autoencoder", "conv", "mlp", "gaussian", "full")
        )
    return value + rng.choice((-1, 1, 0.5, -value, value))


def _notes(rng: random.Random, file: File) -> None:
    note: list[object] = [rng.choice(_NUMBERS), "setting", "learning_rate = 0.1"]
    if rng.random() < 0.7:
        note[rng.randrange(3)] = rng.choice(_VALUES)
    file.metadata["notes"] = json.dumps([note] * rng.choice((1, 2, 2000)))


def _provenance(rng: random.Random, file: File) -> None:
    values: object = {rng.choice(("epochs", "seed", "", "\ud800", "x" * 999)): rng.choice((*_TEXTS, *_VALUES))}
    file.metadata["provenance"] = json.dumps(values)


def _metadata(rng: random.Random, file: File) -> None:
    metadata = file.metadata
    match rng.randrange(5):
        case 0 if metadata:
            del metadata[rng.choice(list(metadata))]
        case 1:
            file.header["__metadata__"] = rng.choice(_VALUES)
        case 2:
            metadata[rng.choice(("config", "notes", "provenance"))] = rng.choice(_TEXTS)
        case 3:
            metadata[rng.choice(("format", "version"))] = rng.choice((*_TEXTS, *_VALUES))
        case _:
            metadata[rng.choice(("more", "", "\0"))] = rng.choice(("x", "y" * 20_000))


def _damaged_json(rng: random.Random, file: File) -> None:
    """Damage the text of the header, or of a JSON text in the metadata: keys twice, nesting, letters lost."""
    key = rng.choice(("config", "notes", "provenance", ""))
    inner = file.metadata.get(key) if key else json.dumps(file.header)
    if not isinstance(inner, str) or not inner:
        return
    at = rng.randrange(len(inner))
    match rng.randrange(6):
        case 0:
            inner = inner.replace("{", '{"seed": 1, "seed": 1, ', 1)
        case 1:
            inner = (
                inner[:at]
                + rng.choice(("[", "{", '"', ",", "]", "}", "\\", "\\ud800", "NaN", "1e999", "-"))
                + inner[at:]
            )
        case 2:
            inner = inner[:at] + inner[at + rng.choice((1, 2, 9, 99)) :]
        case 3:
            inner = inner[:at] + "[" * rng.choice((10, 900, 5000)) + inner[at:]
        case 4:
            inner = inner[1:-1].join(("{", f", {inner[1:-1].split('}')[0]}}}}}")) if inner[0] == "{" else inner * 2
        case _:
            inner = inner.replace(rng.choice("0123456789"), rng.choice(("9" * 5000, "-", "1.5", "0", "1e400")), 1)
    if key:
        file.metadata[key] = inner
    else:
        file.text = inner


def _values(rng: random.Random, file: File) -> None:
    """Write a bad number, or a good one, into a tensor."""
    entry = _some_tensor(rng, file)
    offsets = entry.get("data_offsets")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(each) is int for each in offsets):
        return
    start, end = offsets
    if not 0 <= start <= end - 4 < len(file.body):
        return
    at = start + 4 * rng.randrange((end - start) // 4)
    file.body[at : at + 4] = rng.choice((*_BAD_FLOATS, b"\0\0\x80\x3f", b"\0\0\0\0", b"\xff\xff\x7f\x7f"))


def _reordered(rng: random.Random, file: File) -> None:
    """Give the names another order, which changes nothing."""
    names = list(file.header)
    rng.shuffle(names)
    file.header = {name: file.header[name] for name in names}


_PARTS: tuple[Callable[[random.Random, File], None], ...] = (
    _shape,
    _offsets,
    _dtype,
    _entry,
    _config,
    _config,
    _notes,
    _provenance,
    _metadata,
    _damaged_json,
    _values,
    _values,
    _reordered,
)


def _flipped(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    result = bytearray(data)
    for _flip in range(rng.choice((1, 1, 2, 8, 64))):
        result[rng.randrange(len(result))] ^= 1 << rng.randrange(8)
    return bytes(result)


def _flipped_in_body(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    (length,) = struct.unpack("<Q", data[:8])
    result = bytearray(data)
    start = min(8 + length, len(result) - 1)
    for _flip in range(rng.choice((1, 2, 16))):
        result[rng.randrange(start, len(result))] ^= 1 << rng.randrange(8)
    return bytes(result)


def _cut(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    return data[: rng.randrange(len(data))] if rng.random() < 0.8 else data[rng.randrange(len(data)) :]


def _longer(rng: random.Random, data: bytes, bases: list[bytes]) -> bytes:
    return data + rng.choice((b"\0", b"\0" * 8, rng.randbytes(100), rng.choice(bases)))


def _other_length(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    (length,) = struct.unpack("<Q", data[:8])
    wanted = rng.choice((*_LENGTHS, length - 1, length + 1, length + 8, len(data) - 8, len(data)))
    return struct.pack("<Q", wanted % 2**64) + data[8:]


def _spliced(rng: random.Random, data: bytes, bases: list[bytes]) -> bytes:
    other = rng.choice(bases)
    if rng.random() < 0.5:
        return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]
    one, two = File(data), File(other)
    match rng.randrange(3):
        case 0:
            one.body = two.body
        case 1:
            one.header["__metadata__"] = two.header.get("__metadata__")
        case _:
            one.metadata["config"] = two.metadata.get("config", "{}")
    return one.to_bytes()


def _overwritten(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    at, length = rng.randrange(len(data)), rng.choice((1, 4, 8, 64))
    fill = rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length), b'"' * length))
    return data[:at] + fill + data[at + length :]


_BYTES: tuple[Callable[[random.Random, bytes, list[bytes]], bytes], ...] = (
    _flipped,
    _flipped_in_body,
    _cut,
    _longer,
    _other_length,
    _overwritten,
    _spliced,
)
