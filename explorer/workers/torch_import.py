"""torch, imported by a thread without stopping the window."""

import ctypes
import gc
import importlib.util
import os
import sys
import threading
from pathlib import Path

_SUFFIX = {"linux": ".so", "darwin": ".dylib"}.get(sys.platform)

_importing = threading.Event()


def import_torch() -> str:
    """Return torch's version, once it and the training loop are imported.  Raises ImportError."""
    if "core.training.loop" not in sys.modules:
        collects = gc.isenabled()
        # Nothing that torch makes is garbage, and it makes half a million objects.  The collector went through the
        # growing heap again and again meanwhile, and once more later, in the middle of a drag, for 175 ms.
        gc.disable()
        _importing.set()
        try:
            if "torch" not in sys.modules:
                _map_library()
            from core.training import loop  # noqa: F401 - so that Start has nothing left to import
        finally:
            _importing.clear()
            gc.freeze()
            if collects:
                gc.enable()
    import torch

    return str(torch.__version__)


def is_importing() -> bool:
    """Return whether a thread is inside the import, which takes seconds and cannot be interrupted."""
    return _importing.is_set()


def _map_library() -> None:
    """Have the system load torch's library, 250 ms and more, without the interpreter's lock.

    The import statement, and ctypes.CDLL() too, hold the lock while the system maps, relocates and initialises a
    library, and the window stands still for as long; a function of the system called through ctypes does not.
    The import finds the library loaded then.  Whatever goes wrong here is left for the import to report.
    """
    found = importlib.util.find_spec("torch")
    if _SUFFIX is None or found is None or found.origin is None:
        return
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    folder = Path(found.origin).parent / "lib"
    # In the order, and with the visibility, in which torch's own import loads them.
    for name, visibility in (("libtorch_global_deps", os.RTLD_GLOBAL), ("libtorch_cpu", os.RTLD_LOCAL)):
        path = folder / f"{name}{_SUFFIX}"
        if path.exists():
            load(os.fsencode(path), os.RTLD_NOW | visibility)
