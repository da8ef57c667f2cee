"""Variational inference by hand: fit q to one image, and the reparameterisation it stands on."""

from PySide6.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from explorer.views.content_scroll import ContentScroll
from explorer.views.fit.inference_page import InferencePage
from explorer.views.fit.noise_page import NoisePage
from explorer.views.panels.frame import ElidedLabel, muted_line, show_text

_SUBJECT_PX = 170


class FitPanel(QWidget):
    """Two pages about one image: the fit of its q, and the noise that gradients are made of."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Fit q")
        self.reason = muted_line("No model is open yet.")
        self.subject = ElidedLabel(muted=True)
        self.inference, self.noise = InferencePage(), NoisePage()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        # The pane draws its line under the tabs; the bar would draw another above the corner.
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.addTab(self.inference, "Inference")
        self.tabs.addTab(ContentScroll(self.noise), "Reparameterisation")
        corner = QWidget()
        beside = QHBoxLayout(corner)
        beside.setContentsMargins(8, 6, 12, 2)
        beside.addWidget(self.subject)
        corner.setMinimumWidth(_SUBJECT_PX)
        self.tabs.setCornerWidget(corner)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self.reason.setContentsMargins(12, 8, 12, 8)
        column.addWidget(self.reason)
        column.addWidget(self.tabs, 1)
        self.set_reason("No model is open yet.")

    def set_reason(self, text: str) -> None:
        """Say, in a sentence, why there is nothing to fit; an empty text takes it away."""
        show_text(self.reason, text)
        self.tabs.setVisible(not text)
        self.inference.set_possible(not text)
        self.noise.set_possible(not text)

    def set_subject(self, text: str) -> None:
        """Say which image it is about."""
        self.subject.set_text(f"x: {text}" if text else "")
