"""Weights of another program on their way to a model: can be given up, and what was taken for what is said."""

from PySide6.QtCore import QObject

from explorer.session.documents import DocumentSession
from explorer.views.main_window import MainWindow
from explorer.workers.loading import LoadingThread

CANCEL = "file.cancel_conversion"
"""What the note's button gives while a file is being read."""


class ConversionSession(QObject):
    """Shows a note while weights are read, with a button to give up, and another once the model is open."""

    def __init__(
        self, documents: DocumentSession, loading: LoadingThread, window: MainWindow, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._documents = documents
        self._loading = loading
        self._window = window
        self._waits = False
        self._unsaid = ""
        documents.conversion_begun.connect(self._on_begun)
        documents.model_opened.connect(self._on_model_opened)
        documents.data_opened.connect(self._on_data_opened)
        documents.failed.connect(self._on_failed)
        documents.message.connect(self._on_message)

    def cancel(self) -> None:
        """Give the weights up that are being read; the open model stays."""
        self._loading.cancel()

    def _on_begun(self, name: str) -> None:
        self._waits = True
        self._window.show_message(f"Reading the weights in {name} …", "Cancel", CANCEL)

    def _on_model_opened(self) -> None:
        self._end_waiting()
        self._unsaid = self._documents.conversion_note
        self._say()

    def _on_data_opened(self) -> None:
        # Data that came after the model took its note away: at the start they always do.
        self._say()
        self._unsaid = ""

    def _say(self) -> None:
        if self._unsaid and not self._window.banner.message_text:
            self._window.show_message(f"{self._documents.name} is a model now. {self._unsaid} Save it to keep it so.")
        elif self._unsaid:
            # That the data do not fit comes first: it has a button.
            self._window.show_status(self._unsaid)

    def _on_failed(self) -> None:
        self._end_waiting()

    def _on_message(self, text: str) -> None:
        if text == "Cancelled.":
            self._end_waiting()

    def _end_waiting(self) -> None:
        if self._waits:
            self._waits = False
            if self._window.banner.message_text.startswith("Reading the weights"):
                self._window.clear_message()
