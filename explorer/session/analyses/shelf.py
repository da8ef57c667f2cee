"""Models that can be put beside the open one: which there are, and reading them without opening them."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.config import ModelConfig
from explorer.messages import Failed, JobFailed, LoadedModel, OfferedModel
from explorer.session.autosaves import SUFFIX, name_of
from explorer.settings import Settings
from explorer.views.file_dialogs import FileDialogs
from explorer.workers.loading import LoadingThread
from resources import resource

_KINDS = {
    "vae": "VAE",
    "iwae": "IWAE",
    "autoencoder": "AE",
    "denoising_autoencoder": "Denoising AE",
    "sparse_autoencoder": "Sparse AE",
    "made": "MADE",
}
"""Short names for titles over small maps."""
_MOST_KEPT = 10


class ModelShelf(QObject):
    """Every purpose asks by its name and takes only the answers to it."""

    read = Signal(LoadedModel)
    """A model file was read; `origin` is the purpose."""
    failed = Signal(str, Failed)
    """One could not be read: the purpose, and why."""

    def __init__(
        self,
        settings: Settings,
        kept: Path,
        loading: LoadingThread,
        files: FileDialogs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._kept = kept
        self._loading = loading
        self._files = files
        self._purposes: set[str] = set()
        loading.model_loaded.connect(self.read)
        loading.failed.connect(self._on_failed)
        files.chosen.connect(self._on_file_chosen)

    def offered(self) -> tuple[OfferedModel, ...]:
        """Return the shipped model, those opened lately and those the program keeps, the newest first."""
        recent = [path for path in self._settings.recent_files if path.suffix == SUFFIX and path.is_file()]
        kept = sorted(self._kept.glob(f"*{SUFFIX}"), key=_age) if self._kept.is_dir() else []
        paths = dict.fromkeys([resource("models", "mnist-2d.safetensors"), *recent, *kept[:_MOST_KEPT]])
        return tuple(OfferedModel(name_of(path), path) for path in paths)

    def fetch(self, purpose: str, path: Path) -> None:
        """Read a model file; `read` or `failed` follows."""
        self._loading.load_model(path, purpose)

    def ask_for_file(self, purpose: str) -> None:
        """Let the user choose a file, which is then read."""
        self._purposes.add(purpose)
        self._files.ask(purpose)

    def _on_file_chosen(self, purpose: str, path: Path) -> None:
        if purpose in self._purposes:
            self.fetch(purpose, path)

    def _on_failed(self, failed: JobFailed) -> None:
        self.failed.emit(failed.origin, Failed(f"Could not open model: {failed.failure.reason}"))


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0


def titled(config: ModelConfig, name: str) -> str:
    """Return a model's kind and name."""
    return f"{_KINDS[config.model]} · {name}"


def refusal(config: ModelConfig, beside: ModelConfig | None, name: str) -> str:
    """Return why a model cannot stand beside the open one, in a sentence; empty when it can."""
    if beside is None:
        return "No model is open yet to lay another beside."
    if not config.has_codes:
        return f"{name} is an autoregressive model: it has no codes to lay beside others."
    if not beside.has_codes:
        return "The open model is autoregressive: it has no codes to lay others beside."
    sizes = [(model.image_height, model.image_width) for model in (config, beside)]
    if sizes[0] != sizes[1]:
        (height, width), (open_height, open_width) = sizes
        return (
            f"{name} was made for pictures of {height}×{width} pixels, the open model for {open_height}×{open_width}: "
            "they cannot see the same image."
        )
    return ""
