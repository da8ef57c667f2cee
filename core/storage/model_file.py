"""Model files: safetensors with the configuration, the curves and the provenance inside."""

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from core.config import ExperimentConfig
from core.history import LAST_STEP, History
from core.models.layout import expected_shapes
from core.regular_files import open_regular, size_of
from core.saved_model import SavedModel
from core.settings import ConfigError
from core.snapshots import RunNote
from core.storage.atomic import write_atomically
from core.storage.safetensors_header import (
    DTYPES,
    Header,
    HeaderError,
    TensorEntry,
    arrays_of,
    parse_json,
    read_header,
    sorted_metadata,
)

FORMAT = "latent-explorer model"
VERSION = 1
SUFFIX = ".safetensors"
MAX_FILE_BYTES = 2**31
"""A 2-D model of MNIST has 5 MB without its optimiser's state; training refuses networks that would not fit."""
MAX_DIFFERENCES_TOLD = 6

_WEIGHTS, _HISTORY, _OPTIMISER = "weights/", "history/", "optimiser/"


class ModelFileError(Exception):
    """A model file cannot be read or written; the message names the file and the reason."""

    def __init__(self, path: Path, reason: str) -> None:
        # repr() shows a newline, or bytes that are no text, in a file's name without breaking the message.
        super().__init__(f"{str(path)!r}: {reason}")
        self.path = path
        self.reason = reason


def save_model(path: str | os.PathLike[str], saved: SavedModel) -> None:
    """Write a model file, atomically.  Raises ModelFileError; the file that was there is then as it was.

    What load_model() would refuse is not written: the bytes are read back before they replace anything.
    """
    path = Path(path)
    data = checked_bytes(path, saved)
    try:
        write_atomically(path, data)
    except FileNotFoundError as error:
        raise ModelFileError(path, f"could not be written: there is no folder {str(path.parent)!r}") from error
    except OSError as error:
        raise ModelFileError(path, f"could not be written: {reason_of(error)}") from error


def checked_bytes(path: Path, saved: SavedModel) -> bytes:
    """Return the bytes of a model file that `from_bytes` takes.  Raises ModelFileError naming `path`."""
    try:
        data = to_bytes(saved)
        _check_size(len(data))
        from_bytes(data)
    except (HeaderError, ConfigError) as error:
        raise ModelFileError(path, f"this model cannot be saved: {error}") from None
    return data


def load_model(path: str | os.PathLike[str]) -> SavedModel:
    """Return the model in a file.  Raises ModelFileError."""
    path = Path(path)
    try:
        return from_bytes(_read(path))
    except OSError as error:
        raise ModelFileError(path, f"could not be read: {reason_of(error)}") from error
    except HeaderError as error:
        raise ModelFileError(path, str(error)) from None
    except MemoryError:
        raise ModelFileError(path, "there is not enough memory to read it") from None


def to_bytes(saved: SavedModel) -> bytes:
    """Return the bytes of a model file.  Raises HeaderError for arrays of a type that model files do not hold."""
    tensors: dict[str, np.ndarray[Any, Any]] = {}
    for prefix, arrays in (
        (_WEIGHTS, saved.weights),
        (_HISTORY, saved.history.to_arrays()),
        (_OPTIMISER, saved.optimiser),
    ):
        for name, array in arrays.items():
            if array.dtype.newbyteorder("<").str not in DTYPES.values():
                raise HeaderError(f"tensor {prefix + name!r} is of type {array.dtype}, which model files do not hold")
            # ascontiguousarray() would make a scalar one-dimensional; require() keeps it.
            tensors[prefix + name] = np.require(array, array.dtype.newbyteorder("="), "C")
    notes = [[note.step, note.kind, note.text] for note in saved.history.notes]
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        # In ASCII: a file name of no encoding is no text to others than Python, but its escape is.
        "config": json.dumps(saved.config.to_mapping(), indent=1),
        "notes": json.dumps(notes),
        "provenance": json.dumps(dict(saved.provenance)),
    }
    try:
        return sorted_metadata(safetensors.numpy.save(tensors, metadata))
    except (UnicodeError, TypeError, safetensors.SafetensorError) as error:
        raise HeaderError(str(error)) from None


def from_bytes(data: bytes) -> SavedModel:
    """Return the model in the bytes of a model file.  Raises HeaderError with the reason."""
    header = read_header(data)
    _check_format(header.metadata)
    config = _config(header.metadata)
    _check_weights(config, header)
    tensors = arrays_of(data)
    groups = {
        prefix: {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
        for prefix in (_WEIGHTS, _HISTORY, _OPTIMISER)
    }
    for name, array in groups[_WEIGHTS].items():
        if not np.isfinite(array).all():
            raise HeaderError(f"weight {name!r} holds values that are not finite")
    return SavedModel(
        config=config,
        weights=groups[_WEIGHTS],
        history=_history(config, groups[_HISTORY], header.metadata),
        provenance=_provenance(header.metadata),
        optimiser=groups[_OPTIMISER],
    )


def _read(path: Path) -> bytes:
    with open_regular(path) as file:
        size = size_of(file)
        # One byte more than allowed tells a file that grew since from one that just fits.
        data = b"" if size > MAX_FILE_BYTES else file.read(MAX_FILE_BYTES + 1)
    _check_size(max(size, len(data)))
    return data


def _check_size(num_bytes: int) -> None:
    if num_bytes > MAX_FILE_BYTES:
        raise HeaderError(f"it has {num_bytes:,} bytes; at most {MAX_FILE_BYTES:,} are read")


def reason_of(error: OSError) -> str:
    """Return why reading or writing failed, as a user would say it."""
    if error.errno == errno.ENOSPC:
        return "the disk is full"
    return error.strerror or str(error)


def _check_format(metadata: Mapping[str, str]) -> None:
    if metadata.get("format") != FORMAT:
        raise HeaderError(f"a safetensors file, but not a model of this program (format {metadata.get('format')!r})")
    version = metadata.get("version", "")
    if not (version.isascii() and version.isdigit() and 0 < len(version) < 10 and int(version) > 0):
        raise HeaderError(f"it has the version {version!r}, which is not a number from 1")
    if int(version) > VERSION:
        raise HeaderError(f"it has version {version} of the format; this program reads versions up to {VERSION}")


def _config(metadata: Mapping[str, str]) -> ExperimentConfig:
    values = _json_of(metadata, "config")
    if not isinstance(values, dict):
        raise HeaderError("the configuration is not a JSON object")
    try:
        return ExperimentConfig.from_mapping(values)
    except ConfigError as error:
        raise HeaderError(f"the configuration is not valid: {error}") from None
    except (OverflowError, TypeError, ValueError) as error:
        raise HeaderError(f"the configuration holds a value that no setting takes: {error}") from None


def _json_of(metadata: Mapping[str, str], key: str) -> Any:  # noqa: ANN401 - JSON can be anything
    if key not in metadata:
        raise HeaderError(f"its metadata lacks {key!r}")
    return parse_json(metadata[key], f"the metadata {key!r}")


def _check_weights(config: ExperimentConfig, header: Header) -> None:
    """Compare the weights with what the configuration needs, before any of them is allocated."""
    expected = expected_shapes(config.model)
    found = {name.removeprefix(_WEIGHTS): entry for name, entry in header.tensors.items() if name.startswith(_WEIGHTS)}
    differences = [f"{name} is missing" for name in expected if name not in found]
    differences += [f"{name} is not part of this model" for name in found if name not in expected]
    differences += [
        f"{name} is {_described(found[name])}, not F32 {list(shape)}"
        for name, shape in expected.items()
        if name in found and found[name] != TensorEntry("F32", tuple(shape))
    ]
    if differences:
        told = "; ".join(differences[:MAX_DIFFERENCES_TOLD])
        more = len(differences) - MAX_DIFFERENCES_TOLD
        raise HeaderError(f"the weights do not fit the configuration: {told}" + (f"; and {more} more" * (more > 0)))
    for name in header.tensors:
        if not name.startswith((_WEIGHTS, _HISTORY, _OPTIMISER)):
            raise HeaderError(f"tensor {name!r} has no place in a model file")


def _described(entry: TensorEntry) -> str:
    return f"{entry.dtype} {list(entry.shape)}"


def _history(
    config: ExperimentConfig, arrays: Mapping[str, np.ndarray[Any, Any]], metadata: Mapping[str, str]
) -> History:
    kl_columns = config.model.latent_dim if config.model.has_prior else 0
    for name, ranks in (
        ("steps.step", 1),
        ("steps.nll", 1),
        ("steps.kl", 1),
        ("steps.kl_per_dimension", 2),
        ("held_out.rows", 2),
        ("held_out.kl_per_dimension", 2),
    ):
        if name not in arrays:
            raise HeaderError(f"the history lacks its column {name!r}")
        if arrays[name].ndim != ranks or arrays[name].dtype.kind not in "fi":
            raise HeaderError(f"the history's column {name!r} has {arrays[name].ndim} axes, not {ranks} of numbers")
        if name.endswith("kl_per_dimension") and len(arrays[name]) and arrays[name].shape[1] != kl_columns:
            raise HeaderError(f"the history's column {name!r} has {arrays[name].shape[1]} columns, not {kl_columns}")
    if arrays["steps.step"].dtype.kind != "i":
        raise HeaderError("the history's steps are not whole numbers")
    try:
        return History.from_arrays(config.model.latent_dim, arrays, _notes(metadata))
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise HeaderError(f"the history is damaged: {error}") from None


def _notes(metadata: Mapping[str, str]) -> list[RunNote]:
    values = _json_of(metadata, "notes")
    notes = []
    for note in values if isinstance(values, list) else [None]:
        match note:
            # No bool, which is an int to Python, and no number too long for those who count steps in 64 bits.
            case [int(step), str(kind), str(text)] if type(step) is int and 0 <= step <= LAST_STEP:
                notes.append(RunNote(step, kind, text))
            case _:
                raise HeaderError(f"the metadata 'notes' is not a list of [step, kind, text]: {note!r:.80}")
    return notes


def _provenance(metadata: Mapping[str, str]) -> dict[str, str]:
    values = _json_of(metadata, "provenance")
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise HeaderError("the metadata 'provenance' is not a mapping from text to text")
    return values
