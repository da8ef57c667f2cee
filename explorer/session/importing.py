"""The dialog that asks how a folder or an array of pictures is to be read."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from core.config import DataConfig
from explorer.messages import Failed, ImportPreview
from explorer.views.import_dialog import ImportDialog
from explorer.workers.loading import LoadingThread

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"}


class ImportSession(QObject):
    """Opens the dialog when data need one, and keeps it until they are open or it is closed."""

    accepted = Signal(DataConfig)
    """The data are to be opened in this way; the dialog stays until they are."""

    def __init__(self, loading: LoadingThread, window: QWidget, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._loading = loading
        self._window = window
        self._dialog: ImportDialog | None = None
        loading.import_wanted.connect(self._on_import_wanted)
        loading.preview_ready.connect(self._on_preview_ready)

    @property
    def is_open(self) -> bool:
        """Whether the dialog is there."""
        return self._dialog is not None

    def asks_for(self, path: str) -> bool:
        """Return whether the dialog is about this file or folder."""
        return self._dialog is not None and self._dialog.config.source == path

    def explain(self, failure: Failed) -> None:
        """Say in the dialog why the data cannot be read so."""
        if self._dialog is not None:
            self._dialog.set_preview(failure)

    def close(self) -> None:
        """Take the dialog away, as when its data are open."""
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.close()
            dialog.deleteLater()

    def _on_import_wanted(self, preview: ImportPreview) -> None:
        self.close()
        self._dialog = ImportDialog(preview.config, self._window)
        self._dialog.preview_requested.connect(self._loading.preview)
        self._dialog.accepted_config.connect(self.accepted)
        self._dialog.rejected.connect(self._on_rejected)
        self._dialog.set_preview(preview)
        self._dialog.show()

    def _on_rejected(self) -> None:
        if self._dialog is not None:
            self._loading.cancel()
            self.close()

    def _on_preview_ready(self, preview: ImportPreview) -> None:
        if self._dialog is not None:
            self._dialog.set_preview(preview)
