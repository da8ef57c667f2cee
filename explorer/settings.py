"""What the program remembers between starts: typed properties over QSettings, safe against any content of its file."""

import contextlib
import re
import stat
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

MAX_RECENT_FILES = 10
USUAL_SMOOTHING = 0.937
LAYERS = ("codes", "mosaic", "prior", "posterior")
_THEMES = ("system", "light", "dark")
# Raised when docks come or go, so that an old arrangement is not forced onto a new window.
LAYOUT_VERSION = 3
MAX_FILE_BYTES = 2**20
"""A file of settings has some kilobytes: the arrangement of the docks is the longest."""


class Settings:
    """Remembered choices.  Reading never raises: what is missing or makes no sense gives the default."""

    def __init__(self, path: Path | None = None) -> None:
        self._store = _store(path)
        if not _is_harmless(self.path):
            # Kept for whoever wonders what became of it; no value of it is asked for.
            with contextlib.suppress(OSError):
                self.path.replace(self.path.with_name(f"{self.path.name}.refused"))
            self._store = _store(path)
            self._store.clear()

    @property
    def path(self) -> Path:
        """The file behind these settings."""
        return Path(self._store.fileName())

    def save(self) -> bool:
        """Write to disk now; return whether that went well."""
        self._store.sync()
        return self._store.status() == QSettings.Status.NoError

    @property
    def theme(self) -> str:
        """`system`, `light` or `dark`."""
        name = self._text("window/theme", "system")
        return name if name in _THEMES else "system"

    @theme.setter
    def theme(self, name: str) -> None:
        if name not in _THEMES:
            raise ValueError(f"theme must be one of {', '.join(_THEMES)}, not {name!r}")
        self._store.setValue("window/theme", name)

    @property
    def recent_files(self) -> tuple[Path, ...]:
        """Files opened lately, the newest first, at most MAX_RECENT_FILES."""
        stored = self._store.value("files/recent")
        names = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
        paths = (Path(name) for name in names if isinstance(name, str) and name and "\0" not in name)
        return tuple(dict.fromkeys(paths))[:MAX_RECENT_FILES]

    def add_recent_file(self, path: Path) -> None:
        """Put a file at the top of the recent ones."""
        path = path.absolute()
        self._store_recent((path, *(other for other in self.recent_files if other != path)))

    def remove_recent_file(self, path: Path) -> None:
        """Forget a recent file, as one that is no longer there."""
        self._store_recent(tuple(other for other in self.recent_files if other not in (path, path.absolute())))

    def clear_recent_files(self) -> None:
        """Forget all recent files."""
        self._store_recent(())

    @property
    def last_document(self) -> Path | None:
        """The model file that was open when the program ended; None where there was none."""
        name = self._text("files/last_document", "")
        return Path(name) if name and "\0" not in name else None

    @last_document.setter
    def last_document(self, path: Path | None) -> None:
        self._store.setValue("files/last_document", "" if path is None else str(path.absolute()))

    @property
    def window_geometry(self) -> QByteArray:
        """What QWidget.restoreGeometry takes; empty at the first start."""
        return self._bytes("window/geometry")

    @window_geometry.setter
    def window_geometry(self, geometry: QByteArray) -> None:
        self._store.setValue("window/geometry", geometry)

    @property
    def window_state(self) -> QByteArray:
        """What QMainWindow.restoreState takes; empty at the first start or after the docks changed."""
        return self._bytes("window/state") if self._text("window/layout", "") == str(LAYOUT_VERSION) else QByteArray()

    @window_state.setter
    def window_state(self, state: QByteArray) -> None:
        self._store.setValue("window/layout", str(LAYOUT_VERSION))
        self._store.setValue("window/state", state)

    @property
    def arranging(self) -> bool:
        """Whether an arrangement of the window is being restored; at a start: whether the last one failed in it."""
        return self._flag("window/arranging", default=False)

    @arranging.setter
    def arranging(self, under_way: bool) -> None:
        if under_way:
            self._store.setValue("window/arranging", "yes")
        else:
            self._store.remove("window/arranging")

    def forget_arrangement(self) -> None:
        """Forget how the window and its docks stood."""
        for key in ("window/arranging", "window/geometry", "window/state"):
            self._store.remove(key)

    @property
    def layers(self) -> frozenset[str]:
        """Which of LAYERS the canvas shows."""
        return frozenset(name for name in LAYERS if self._flag(f"canvas/{name}", default=True))

    @layers.setter
    def layers(self, shown: frozenset[str]) -> None:
        for name in LAYERS:
            self._store.setValue(f"canvas/{name}", "yes" if name in shown else "no")

    @property
    def show_timing(self) -> bool:
        """Whether the bar below the window says how quickly the program follows the hand."""
        return self._flag("canvas/timing", default=False)

    @show_timing.setter
    def show_timing(self, shown: bool) -> None:
        self._store.setValue("canvas/timing", "yes" if shown else "no")

    @property
    def brush_size(self) -> float:
        """Width of the draw pad's pen in pixels of its 280×280 ink, 6 to 60."""
        return self._number("draw_pad/brush_size", default=25.0, minimum=6.0, maximum=60.0)

    @brush_size.setter
    def brush_size(self, size: float) -> None:
        self._store.setValue("draw_pad/brush_size", repr(float(size)))

    @property
    def smoothing(self) -> float:
        """Smoothing of the curves: the weight of the past at each step, 0 (none) to 0.999."""
        return self._number("curves/smoothing", default=USUAL_SMOOTHING, minimum=0.0, maximum=0.999)

    @smoothing.setter
    def smoothing(self, amount: float) -> None:
        self._store.setValue("curves/smoothing", repr(float(amount)))

    @property
    def curves_quantity(self) -> str:
        """The quantity whose curves were shown last; any text, as it may come from another version."""
        return self._text("curves/quantity", "elbo")

    @curves_quantity.setter
    def curves_quantity(self, name: str) -> None:
        self._store.setValue("curves/quantity", name)

    def _store_recent(self, paths: tuple[Path, ...]) -> None:
        self._store.setValue("files/recent", [str(path) for path in paths[:MAX_RECENT_FILES]])

    def _text(self, key: str, default: str) -> str:
        value = self._store.value(key)
        return value if isinstance(value, str) else default

    def _flag(self, key: str, *, default: bool) -> bool:
        return {"yes": True, "true": True, "no": False, "false": False}.get(self._text(key, "").lower(), default)

    def _number(self, key: str, *, default: float, minimum: float, maximum: float) -> float:
        with contextlib.suppress(ValueError):
            number = float(self._text(key, ""))
            if minimum <= number <= maximum:
                return number
        return default

    def _bytes(self, key: str) -> QByteArray:
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()


def _store(path: Path | None) -> QSettings:
    if path is not None:
        return QSettings(str(path), QSettings.Format.IniFormat)
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "latent-explorer", "latent-explorer")


def _is_harmless(path: Path) -> bool:
    """Whether a file of settings holds texts and bytes alone, and not too many.

    PySide writes a Python object as a pickled @Variant, and asking for the value unpickles it, which runs code.
    Nothing is stored here as a @Variant: a file with one, however its letters are escaped or quoted, is none of ours.
    """
    try:
        if not path.exists():
            return True
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
            return False
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError:
        # What cannot be read here QSettings cannot read either.
        return True
    text = re.sub(r"\\\r?\n", "", text)
    text = re.sub(r"\\x([0-9a-fA-F]+)|\\([0-7]+)", _unescaped, text)
    return "@Variant(" not in re.sub(r"[\"\\]", "", text)


def _unescaped(found: re.Match[str]) -> str:
    # Qt keeps the last 16 bits of however many digits.
    return chr((int(found[1], 16) if found[1] else int(found[2], 8)) % 2**16)
