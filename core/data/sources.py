"""A data set by name or path: the one door to all readers."""

from collections.abc import Callable
from pathlib import Path

from core.config import DataConfig
from core.data.dataset import DataError, Dataset, ProgressCallback, QuickLook
from core.data.files import OPENABLE, kind_of
from core.data.mnist import load_mnist, quick_look_at_mnist
from core.registry import Registry
from core.stored_pictures import StoredPicturesError

NamedLoader = Callable[[DataConfig, ProgressCallback | None], Dataset]
PathLoader = Callable[[Path, DataConfig, ProgressCallback | None], Dataset]

named_sources: Registry[NamedLoader] = Registry("data")
named_sources.register("mnist")(load_mnist)

readers: Registry[PathLoader] = Registry("kind of file")

# What comes with the program is read at each start; what reads all else is imported when it is wanted.


@named_sources.register("shapes")
def _load_shapes(config: DataConfig, progress: ProgressCallback | None) -> Dataset:
    from core.data.procedural import load_shapes  # noqa: PLC0415 - as above

    return load_shapes(config, progress)


@readers.register("folder")
def _load_folder(path: Path, config: DataConfig, progress: ProgressCallback | None) -> Dataset:
    from core.data.folder import load_folder  # noqa: PLC0415 - as above

    return load_folder(path, config, progress)


@readers.register("idx")
def _load_idx(path: Path, config: DataConfig, progress: ProgressCallback | None) -> Dataset:
    from core.data.idx import load_idx  # noqa: PLC0415 - as above

    return load_idx(path, config, progress)


@readers.register("npz")
@readers.register("npy")
def _load_arrays(path: Path, config: DataConfig, progress: ProgressCallback | None) -> Dataset:
    from core.data.arrays import load_arrays  # noqa: PLC0415 - as above

    return load_arrays(path, config, progress)


def load_dataset(config: DataConfig, progress: ProgressCallback | None = None) -> Dataset:
    """Return the data set that the config names: mnist, shapes, or a path.  Raises DataError with file and reason."""
    if config.source in named_sources.names:
        return named_sources[config.source](config, progress)
    path = source_path(config)
    try:
        return readers[kind_of(path)](path, config, progress)
    except StoredPicturesError as error:
        raise DataError(str(error)) from error


def load_quick_look(config: DataConfig) -> QuickLook | None:
    """Return the held-out half alone where that is much quicker than all, else None.  Raises DataError.

    MNIST: some 30 ms, a tenth of the whole; load_dataset with the same config has the same held-out half.
    """
    return quick_look_at_mnist(config) if config.source == "mnist" else None


def source_path(config: DataConfig) -> Path:
    """Return the path of a source that is not one of the named ones.  Raises DataError, naming those."""
    try:
        path = Path(config.source).expanduser()
        found = path.exists()
    # RuntimeError: ~name of nobody's home.
    except (OSError, ValueError, RuntimeError):
        found = False
    if not found:
        known = ", ".join(named_sources.names)
        raise DataError(f"unknown data {config.source!r}: neither one of {known} nor the path of {OPENABLE}")
    return path
