"""The model panel: what is open, and the settings of the next new model."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from core.config import ExperimentConfig
from core.findings.activations import UnitActivations
from explorer.messages import DocumentInfo
from explorer.views.forms import SectionForm
from explorer.views.panels.activations import ActivationBars
from explorer.views.panels.frame import ElidedLabel, Panel, muted_line, show_text
from explorer.views.panels.summaries import document_line


class ModelPanel(Panel):
    """Says which model is open, and sets up the next one."""

    setting_edited = Signal(str, str, object)
    """Section, name and valid value."""
    validity_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Model", parent)
        self._name = ElidedLabel(bold=True)
        self._summary = muted_line()
        self._next = muted_line("Settings of the next new model")
        self._form = SectionForm("model")
        self._form.edited.connect(self._form_edited)
        self._form.validity_changed.connect(self.validity_changed)
        self.activations = ActivationBars()
        for widget in (self._name, self._summary, self.activations, self._next, self._form):
            self.column.addWidget(widget)
        self.column.insertSpacing(4, 4)
        self.set_document(None)

    def set_document(self, document: DocumentInfo | None) -> None:
        """Show the open model; None where there is none."""
        if document is None:
            self._name.set_text("No model is open")
            show_text(self._summary, "Start the training to make one, or open a file.")
            return
        where = str(document.path) if document.path is not None else "not saved under a name yet"
        self._name.set_text(document.name + (" •" if document.modified else ""), where)
        self._name.setAccessibleName(document.name + (", modified" if document.modified else ""))
        show_text(self._summary, document_line(document))
        facts = [f"{key}: {value}" for key, value in document.provenance.items()]
        self._summary.setToolTip("\n".join(facts) or document_line(document))

    def set_activations(self, activations: UnitActivations | None) -> None:
        """Show how active the units of a sparse autoencoder are; None for any other model."""
        self.activations.set_activations(activations)

    def set_config(self, config: ExperimentConfig) -> None:
        """Show the settings of the next new model; no intent is emitted."""
        self._form.set_config(config)

    def set_running(self, running: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Keep the settings during a run."""
        self._form.set_running(running)

    def show_error(self, name: str, text: str) -> None:
        """Show what is wrong under a setting; an empty text takes it away."""
        self._form.show_error(name, text)

    @property
    def form(self) -> SectionForm:
        """The form of the model's settings."""
        return self._form

    @property
    def is_valid(self) -> bool:
        """Whether every field holds an allowed value."""
        return self._form.is_valid

    def focus_first_error(self) -> bool:
        """Go to the first field in error; return whether there is one."""
        return self._form.focus_first_error()

    def _form_edited(self, name: str, value: object) -> None:
        self.setting_edited.emit("model", name, value)
