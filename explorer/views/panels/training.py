"""The training panel: settings of a run, its buttons, and how far it is."""

from PySide6.QtCore import QElapsedTimer, QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from core.config import ExperimentConfig
from core.snapshots import Progress
from explorer.commands.availability import CONTINUE, PAUSE_OR_RESUME, START, STOP, available_run_commands
from explorer.commands.icons import tinted_icon
from explorer.commands.table import command
from explorer.messages import RunState
from explorer.theme import current_palette
from explorer.views.forms import OBJECTIVE_SETTINGS, SectionForm, commit_pending_edit
from explorer.views.panels.frame import MARGIN, Panel, muted_line, show_text
from explorer.views.panels.summaries import progress_line

_BAR_STEPS = 1000
_HINT = "Start makes a new model; Continue trains the open one further."
_HINT_NO_MODEL = "Start makes a new model from these settings."
_HINT_RUNNING = "Learning rate and β can be changed now; all else is fixed until the run ends."
_NO_DATA = "Start waits for training images: none are open, or they are still being read."
_BAD_FIELD = "Start waits until every setting is allowed: see the text in red."


class TrainingPanel(Panel):
    """Sets up a run, starts and ends it, and shows its progress."""

    start_requested = Signal()
    continue_requested = Signal()
    pause_requested = Signal()
    resume_requested = Signal()
    stop_requested = Signal()
    setting_edited = Signal(str, str, object)
    """Section, name and valid value."""
    validity_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Training", parent)
        self._state = RunState.IDLE
        self._can_start, self._can_continue, self._model_valid = True, False, True
        self._why_not = ""
        self._owes_focus = False
        self._last_clicked: QPushButton | None = None
        self._since_click = QElapsedTimer()
        self.controls = QWidget()
        """Buttons, progress and status; below the settings, or wherever the window keeps them in sight."""
        self._objective = SectionForm("objective")
        self._training = SectionForm("training")
        for form in (self._training, self._objective):
            form.edited.connect(self._form_edited)
            form.validity_changed.connect(self._validity_changed)
        self._start = _button("Start", "start", START, primary=True)
        self._continue = _button("Continue", "continue", CONTINUE)
        self._pause = _button("Pause", "pause", PAUSE_OR_RESUME, primary=True)
        self._stop = _button("Stop", "stop", STOP)
        self._start.clicked.connect(self._start_clicked)
        self._continue.clicked.connect(self._continue_clicked)
        self._pause.clicked.connect(self._pause_clicked)
        self._stop.clicked.connect(self._stop_clicked)
        self._bar = QProgressBar()
        self._bar.setRange(0, _BAR_STEPS)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of the training")
        self._bar.setToolTip("Share of the run's steps that are done.")
        self._hint = muted_line(_HINT_NO_MODEL)
        self._progress = muted_line()
        self._status = muted_line()
        self._plan = muted_line()
        self._plan.setToolTip("What was chosen when the run started; it is recorded with the model.")
        self._lay_out()
        self._show_state()

    def set_run_state(self, state: RunState) -> None:
        """Show what the training is doing."""
        if state is self._state:
            return
        self._take_focus_along()
        if state is RunState.STARTING:
            self.set_status("")
            self._bar.setValue(0)
            show_text(self._progress, "")
        self._state = state
        self._show_state()
        self._give_focus()

    def set_progress(self, progress: Progress | None) -> None:
        """Show how far a run is; None clears it."""
        if progress is None:
            self._bar.setValue(0)
            show_text(self._progress, "")
            return
        self._bar.setValue(round(_BAR_STEPS * min(1.0, progress.step / max(1, progress.total_steps))))
        rate = progress.images_per_second
        show_text(self._progress, progress_line(progress.epoch, progress.total_epochs, rate, progress.seconds_left))

    def set_status(self, text: str, *, failed: bool = False) -> None:
        """Say how the last run ended, or what happened in this one; empty says nothing."""
        show_text(self._status, text)
        role = "error" if failed else "muted"
        if self._status.property("role") != role:
            self._status.setProperty("role", role)
            self._status.style().polish(self._status)

    def set_plan(self, text: str) -> None:
        """Show what was chosen when the run started: device, precision, threads."""
        show_text(self._plan, text)

    def set_config(self, config: ExperimentConfig) -> None:
        """Show the settings of the next run; no intent is emitted."""
        self._training.set_config(config)
        self._objective.set_config(config)
        self._objective.setVisible(bool(OBJECTIVE_SETTINGS[config.model.model]))

    def set_can_start(self, able: bool, reason: str = "") -> None:  # noqa: FBT001 - a Qt setter
        """Let a new model be started: there is data to train on; if not, `reason` is a sentence that says why."""
        self._can_start, self._why_not = able, reason
        self._show_state()

    def set_model_valid(self, valid: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Let a new model be started only while its settings are valid."""
        self._model_valid = valid
        self._show_state()

    def set_can_continue(self, able: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Let the open model be trained further: there is one, and the data fits it."""
        self._can_continue = able
        self._show_state()

    @property
    def available(self) -> frozenset[str]:
        """Names of the training commands that can be given now."""
        return available_run_commands(
            self._state,
            can_start=self._can_start and self._model_valid and self.is_valid,
            can_continue=self._can_continue and self.is_valid,
        )

    @property
    def state(self) -> RunState:
        """What is shown as the state of the run."""
        return self._state

    @property
    def is_valid(self) -> bool:
        """Whether every field holds an allowed value."""
        return self._training.is_valid and self._objective.is_valid

    @property
    def forms(self) -> tuple[SectionForm, SectionForm]:
        """The forms of the training and of the objective."""
        return self._training, self._objective

    def focus_first_error(self) -> bool:
        """Go to the first field in error; return whether there is one."""
        return self._training.focus_first_error() or self._objective.focus_first_error()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_stop"):
            self._tint()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in self._buttons():
            row.addWidget(button, 1)
        below = QVBoxLayout(self.controls)
        below.setContentsMargins(MARGIN, 10, MARGIN, 12)
        below.setSpacing(6)
        # The lines come and go; below them, at the end of the dock, the buttons stay under the mouse.
        for widget in (self._plan, self._status, self._hint, self._bar, self._progress):
            below.addWidget(widget)
        below.addLayout(row)
        self.column.addWidget(self._objective)
        self.column.addWidget(self._training)
        self.column.addWidget(self.controls)

    def _buttons(self) -> tuple[QPushButton, ...]:
        return self._start, self._continue, self._pause, self._stop

    def _show_state(self) -> None:
        state, available = self._state, self.available
        idle = state is RunState.IDLE
        for form in (self._training, self._objective):
            form.set_running(not idle)
        # Those that go, go first: with all four in the row for a moment, the dock would grow wider and stay so.
        for button in (self._pause, self._stop) if idle else (self._start, self._continue):
            button.hide()
        for button in (self._start, self._continue) if idle else (self._pause, self._stop):
            button.show()
        self._start.setEnabled(START in available)
        self._continue.setEnabled(CONTINUE in available)
        self._pause.setEnabled(PAUSE_OR_RESUME in available)
        self._stop.setEnabled(STOP in available)
        paused = state is RunState.PAUSED
        self._pause.setText({RunState.STARTING: "Starting…", RunState.PAUSED: "Resume"}.get(state, "Pause"))
        self._pause.setAccessibleName("Resume the training" if paused else "Pause the training")
        self._stop.setText("Stopping…" if state is RunState.STOPPING else "Stop")
        self._bar.setVisible(not idle)
        reason = self._why_no_start()
        self._hint.setText((reason or (_HINT if self._can_continue else _HINT_NO_MODEL)) if idle else _HINT_RUNNING)
        self._start.setToolTip(f"{_tip(START)}\n{reason}" if reason else _tip(START))
        self._tint()

    def _why_no_start(self) -> str:
        """Return why no new model can be started; empty where one can."""
        if not self._can_start:
            return self._why_not or _NO_DATA
        return "" if self._model_valid and self.is_valid else _BAD_FIELD

    def _take_focus_along(self) -> None:
        """Take the focus off the buttons: Qt would pass that of a hidden one to any neighbour."""
        focused = self.window().focusWidget()
        if focused in self._buttons():
            focused.clearFocus()
            self._owes_focus = True

    def _give_focus(self) -> None:
        """Give the focus that a button or a field has lost to Pause, or to Start after the run."""
        idle = self._state is RunState.IDLE
        if self.window().focusWidget() is not None:
            self._owes_focus = False
        elif self._owes_focus or not idle:
            # While a run starts or stops nothing can be pressed without harm: the focus waits.
            self._owes_focus = True
            able = [
                button for button in ((self._start, self._continue) if idle else (self._pause,)) if button.isEnabled()
            ]
            if able:
                able[0].setFocus(Qt.FocusReason.OtherFocusReason)
                self._owes_focus = False

    def _is_second_click(self) -> bool:
        """Whether the button that was just clicked has come under the mouse by the click before."""
        button, last = self.sender(), self._last_clicked
        soon = self._since_click.isValid() and self._since_click.elapsed() < QApplication.doubleClickInterval()
        if soon and last is not None and last is not button and last.isHidden():
            return True
        if isinstance(button, QPushButton):
            self._last_clicked = button
            self._since_click.start()
        return False

    def _tint(self) -> None:
        colours = current_palette()
        icons = {
            self._start: "start",
            self._continue: "continue",
            self._pause: "start" if self._state is RunState.PAUSED else "pause",
            self._stop: "stop",
        }
        for button, icon in icons.items():
            primary = button in {self._start, self._pause}
            button.setIcon(tinted_icon(icon, colours.accent_text if primary else colours.text))

    def _start_clicked(self) -> None:
        if self._is_second_click():
            return
        commit_pending_edit()
        if START in self.available:
            self.start_requested.emit()

    def _continue_clicked(self) -> None:
        if self._is_second_click():
            return
        commit_pending_edit()
        if CONTINUE in self.available:
            self.continue_requested.emit()

    def _pause_clicked(self) -> None:
        if self._is_second_click():
            return
        if self._state is RunState.PAUSED:
            self.resume_requested.emit()
        else:
            self.pause_requested.emit()

    def _stop_clicked(self) -> None:
        if not self._is_second_click():
            self.stop_requested.emit()

    def _form_edited(self, name: str, value: object) -> None:
        form = self.sender()
        if isinstance(form, SectionForm):
            self.setting_edited.emit(form.section, name, value)

    def _validity_changed(self) -> None:
        self._show_state()
        self.validity_changed.emit(self.is_valid)


def _button(text: str, icon: str, name: str, *, primary: bool = False) -> QPushButton:
    entry = command(name)
    button = QPushButton(tinted_icon(icon), text)
    button.setObjectName(name)
    button.setAccessibleName(entry.plain_text)
    button.setToolTip(_tip(name))
    button.setIconSize(QSize(16, 16))
    button.setMinimumHeight(34)
    if primary:
        button.setProperty("role", "primary")
    return button


def _tip(name: str) -> str:
    entry = command(name)
    return f"{entry.help} ({entry.key_sequence.toString()})"
