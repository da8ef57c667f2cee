"""The header of safetensors bytes, checked before anything is allocated.

The safetensors library itself takes duplicate keys, 200,000 empty tensors and shapes like [0, 2**40] without a word.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors

MAX_HEADER_BYTES = 64 * 2**20
MAX_TENSORS = 4096
MAX_DIMENSIONS = 8
DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}
"""numpy's names of the types that are read."""
ITEM_BYTES = {name: np.dtype(dtype).itemsize for name, dtype in DTYPES.items()}


class HeaderError(ValueError):
    """The bytes are no safetensors file, or one that is refused; the message says why."""


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """What the header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """A checked header: text metadata, and a tensor's entry by its name."""

    metadata: Mapping[str, str]
    tensors: Mapping[str, TensorEntry]


def read_header(data: bytes) -> Header:
    """Return the checked header of safetensors bytes: sizes, unique keys, known dtypes, tensors that lie in the file.

    Raises HeaderError.
    """
    if len(data) < 8:
        raise HeaderError(f"only {len(data)} bytes long, which no safetensors file is")
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(MAX_HEADER_BYTES, len(data) - 8):
        raise HeaderError(
            f"not a safetensors file, or cut short: its header would be {length:,} bytes long, "
            f"the file has {len(data):,}, and {MAX_HEADER_BYTES:,} are allowed"
        )
    values = parse_json(data[8 : 8 + length], "the header")
    if not isinstance(values, dict):
        raise HeaderError("the header is not a JSON object")
    metadata = values.pop("__metadata__", {})
    if not _is_text_mapping(metadata):
        raise HeaderError("the header's metadata is not a mapping from text to text")
    if len(values) > MAX_TENSORS:
        raise HeaderError(f"{len(values):,} tensors; at most {MAX_TENSORS:,} are allowed")
    body = len(data) - 8 - length
    return Header(metadata, {name: _checked_entry(name, entry, body) for name, entry in values.items()})


def arrays_of(data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    """Return the tensors of bytes whose header was read and found good, as read-only arrays.  Raises HeaderError."""
    try:
        return {name: _array(tensor) for name, tensor in safetensors.deserialize(data)}  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise HeaderError(f"not a valid safetensors file: {error}") from None


def sorted_metadata(data: bytes) -> bytes:
    """Return the same file with its metadata in order of their names: the library writes them in a random one."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    # The tensors begin at a multiple of eight bytes, which the header's trailing spaces see to.
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def parse_json(text: str | bytes, what: str) -> Any:  # noqa: ANN401 - JSON can be anything
    """Return the value of a JSON text; duplicate keys, NaN and nesting without end are refused.  Raises HeaderError."""
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except HeaderError as error:
        raise HeaderError(f"{what} {error}") from None
    except RecursionError:
        raise HeaderError(f"{what} is nested too deeply") from None
    # ValueError covers bad JSON, bad UTF-8 and numbers of thousands of digits.
    except ValueError as error:
        raise HeaderError(f"{what} is not JSON: {error}") from None


def _array(tensor: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = np.frombuffer(tensor["data"], DTYPES[tensor["dtype"]]).reshape(tensor["shape"])
    if array.dtype == np.bool_:
        # A bool of another byte than 0 and 1 is undefined behaviour inside numpy.
        array = np.not_equal(array.view(np.uint8), 0, out=np.empty(array.shape, np.bool_))
    # Nobody else holds the bytes below; frozen() would make a scalar one-dimensional.
    array.flags.writeable = False
    return array


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise HeaderError(f"has the key {name!r} twice")
        values[name] = value
    return values


def _refuse_constant(name: str) -> None:
    raise HeaderError(f"holds {name}, which is not JSON")


def _is_text_mapping(values: object) -> bool:
    return isinstance(values, dict) and all(isinstance(value, str) for value in values.values())


def _checked_entry(name: str, entry: object, body: int) -> TensorEntry:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise HeaderError(f"tensor {name!r} needs dtype, shape and data_offsets, and nothing else")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise HeaderError(f"tensor {name!r} is of type {dtype!r}; allowed: {', '.join(ITEM_BYTES)}")
    if not _are_sizes(shape) or len(shape) > MAX_DIMENSIONS:
        raise HeaderError(
            f"tensor {name!r} has the shape {shape!r}; at most {MAX_DIMENSIONS} whole numbers are allowed"
        )
    if not _are_sizes(offsets) or len(offsets) != 2 or not offsets[0] <= offsets[1] <= body:
        raise HeaderError(f"tensor {name!r} lies at {offsets!r}, outside the file's {body:,} bytes of tensors")
    if math.prod(shape) * ITEM_BYTES[dtype] != offsets[1] - offsets[0] or max(shape, default=0) > max(body, 1):
        raise HeaderError(
            f"tensor {name!r} of shape {shape} and type {dtype} does not fill {offsets[1] - offsets[0]} bytes"
        )
    return TensorEntry(dtype, tuple(shape))


def _are_sizes(values: object) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
