"""The ledger of the bound: log p(x), ELBO and the divergences between them, as bars that add up."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from core.findings.ledger import Ledger
from core.shapes import Picture
from explorer.messages import SubjectSource
from explorer.views.flow import FlowLayout
from explorer.views.ledger.badges import Badge
from explorer.views.ledger.bars import LedgerBars
from explorer.views.ledger.identities import Identities, as_text
from explorer.views.panels.frame import ElidedLabel
from explorer.views.pictures import PictureView
from explorer.views.readouts import number

TRUSTED_NATS = 1e-3
"""Residual and error bar up to which the numbers are called exact."""
FOLLOWS = "FOLLOWS"
"""The choice that follows the hand."""
_CHOICES = (
    (
        FOLLOWS,
        "follows the hand",
        "The image touched last: a data point, the drawing, or a draw from the dragged code.",
    ),
    (SubjectSource.DATA.name, "data point", "The image behind the selected handle, as the model sees it."),
    (SubjectSource.DRAWING.name, "drawing", "What is on the draw pad, thresholded at one half."),
    (
        SubjectSource.CODE.name,
        "draw from the code",
        "A draw x ~ p(x|z) at the selected code, always with the same noise.",
    ),
)
_LOWER_BOUND = "IWAE is a lower bound on log p(x) in expectation."
_GREY = "grey pixels: no likelihood"
_PICTURE_PX = 70


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is said beside the numbers of a ledger."""

    bits_per_dim: float | None
    """Of −log p(x) a pixel; None for densities."""
    grey: bool
    """Whether grey pixels stand under a Bernoulli likelihood."""


class LedgerPanel(QWidget):
    """Shows one image, the numbers of its bound, and how far they can be trusted."""

    source_chosen = Signal(str)
    """Name of a SubjectSource, or FOLLOWS."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Ledger of the bound")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._ledger: Ledger | None = None
        self.sources = QComboBox()
        self.sources.setAccessibleName("Image of the ledger")
        for row, (name, text, tip) in enumerate(_CHOICES):
            self.sources.addItem(text, name)
            self.sources.setItemData(row, tip, Qt.ItemDataRole.ToolTipRole)
        self.sources.setToolTip("Whose bound is shown: which image x is.")
        self.sources.activated.connect(self._on_activated)
        self._subject = ElidedLabel(muted=True)
        self.picture = PictureView(
            "", "The image x behind every number here, as the model sees it.", fill=True, least_side=_PICTURE_PX
        )
        self.picture.setAccessibleName("what the model sees")
        self.picture.setFixedSize(_PICTURE_PX, _PICTURE_PX)
        self.picture.set_placeholder("no image")
        self.identities, self.bars = Identities(), LedgerBars()
        self.trust, self.estimate, self.bits = (
            Badge("Residual and error bar"),
            Badge("Estimate"),
            Badge("Bits per dimension"),
        )
        self.grey = Badge("Grey pixels")
        self._version = QLabel()
        self._version.setProperty("role", "muted")
        self._reason = QLabel()
        self._reason.setProperty("role", "muted")
        self._reason.setWordWrap(True)
        self._reason.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._note = ElidedLabel(muted=True)
        self._note.set_text(_LOWER_BOUND)
        self._note.hide()
        self._copy = QAction("Copy numbers", self)
        self._copy.triggered.connect(self._copy_text)
        self.addAction(self._copy)
        self._describe_badges()
        self._arrange()
        self.set_reason("No model is open yet.")

    # Setters

    def set_choice(self, source: SubjectSource | None) -> None:
        """Show which source is chosen, None for the hand; no intent is emitted."""
        self.sources.setCurrentIndex(self.sources.findData(FOLLOWS if source is None else source.name))

    def set_choosable(self, choosable: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Let x be chosen, or show what it has to be."""
        self.sources.setEnabled(choosable)

    def set_subject(self, picture: Picture | None, text: str) -> None:
        """Show the image x and what it is."""
        self.picture.set_picture(picture)
        if text != self._subject.text():
            self._subject.set_text(text)

    def set_reason(self, text: str) -> None:
        """Say, in a sentence, why there are no numbers; an empty text takes it away."""
        if text:
            self._ledger = None
            for badge in (self.trust, self.estimate, self.bits, self.grey):
                badge.set_text("")
            self._note.hide()
            self._version.clear()
        self._say(text, numbers=not text)
        self.setAccessibleDescription(text or self.text())

    def set_ledger(self, ledger: Ledger, remarks: Remarks) -> None:
        """Show the numbers of the subject."""
        self._ledger = ledger
        has_numbers = ledger.log_px is not None
        self._say(ledger.undefined_reason, numbers=has_numbers)
        self.identities.set_ledger(ledger)
        self.bars.set_ledger(ledger)
        self._write_badges(ledger, remarks)
        self._note.setVisible(ledger.is_estimate)
        self.setAccessibleDescription(self.text())

    @property
    def ledger(self) -> Ledger | None:
        """The ledger shown; None while a sentence stands in its place."""
        return self._ledger

    @property
    def reason(self) -> str:
        """The sentence shown."""
        return "" if self._reason.isHidden() else self._reason.text()

    def text(self) -> str:
        """Return everything that is shown, as text."""
        if self._ledger is None:
            return self.reason
        badges = [badge.text for badge in (self.trust, self.estimate, self.bits, self.grey) if badge.text]
        note = _LOWER_BOUND if self._ledger.is_estimate else ""
        lines = [f"x: {self._subject.text()}", as_text(self._ledger), *badges, note, self._version.text(), self.reason]
        return "\n".join(line for line in lines if line)

    # Inside

    def _say(self, reason: str, *, numbers: bool) -> None:
        if self._reason.text() != reason:
            self._reason.setText(reason)
        if self._reason.isHidden() == bool(reason):
            self._reason.setVisible(bool(reason))
        if self.identities.isHidden() == numbers:
            self.identities.setVisible(numbers)
            self.bars.setVisible(numbers)
        self._copy.setEnabled(numbers or bool(reason))

    def _write_badges(self, ledger: Ledger, remarks: Remarks) -> None:
        if ledger.is_estimate:
            doubt = "" if ledger.standard_error is None else f" ± {ledger.standard_error:.2f}"
            size = "" if ledger.effective_sample_size is None else f" · ESS {ledger.effective_sample_size:,.1f}"
            self.estimate.set_text(
                f"estimate{doubt} · k = {ledger.num_samples:,}{size}",
                "doubtful",
                widest="estimate ± 0.00 · k = 5,000 · ESS 000.0",
            )
            self.trust.set_text("")
        elif ledger.error_bar is not None:
            doubts = [f"error bar {_small(ledger.error_bar, '± ')} nats"]
            trusted = ledger.error_bar <= TRUSTED_NATS
            if ledger.residual is not None:
                doubts.insert(0, f"residual {_small(abs(ledger.residual))}")
                trusted = trusted and abs(ledger.residual) <= TRUSTED_NATS
            self.trust.set_text(
                " · ".join(doubts),
                "good" if trusted else "doubtful",
                widest="residual 0.0000 · error bar ± 0.0000 nats",
            )
            self.estimate.set_text("")
        else:
            self.trust.set_text("")
            self.estimate.set_text("")
        bits = remarks.bits_per_dim
        self.bits.set_text("" if bits is None else f"{number(bits, 4)} bits/dim")
        self.grey.set_text(_GREY if remarks.grey else "", "doubtful")
        version = f"weights {ledger.version}"
        if version != self._version.text():
            self._version.setText(version)

    def _describe_badges(self) -> None:
        self.trust.setToolTip(
            "Residual: log p(x) − ELBO − KL(q ‖ p(z|x)), each integrated by itself; zero but for errors.\n"
            "Error bar: how far log p(x) differs between two resolutions of the grid.\n"
            f"Green: both at most {TRUSTED_NATS:g} nats.  While the hand moves the grid is coarser."
        )
        self.estimate.setToolTip(
            "IWAE: log p(x) from k samples of q(z|x), with its standard error.  ESS: the effective number of samples; "
            "near 1, a single code carries the estimate.\n" + _LOWER_BOUND
        )
        self.bits.setToolTip("−log p(x) divided by the number of pixels and by ln 2.")
        self._version.setToolTip("The version of the model's weights that these numbers belong to.")
        self.grey.setToolTip(
            "Bernoulli nats of grey pixels are not a likelihood, which describes zeros and ones: choose a binarisation "
            "to compare nats."
        )

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        name = QLabel("x is:")
        name.setBuddy(self.sources)
        top.addWidget(name)
        top.addWidget(self.sources)
        top.addWidget(self._subject, 1)
        top.addWidget(self._version)
        badges = FlowLayout(spacing=6)
        for badge in (self.trust, self.estimate, self.bits, self.grey):
            badges.addWidget(badge)
        middle = QVBoxLayout()
        middle.setSpacing(4)
        middle.addWidget(self.identities)
        middle.addWidget(self._reason)
        middle.addStretch(1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(0)
        grid.addWidget(self.picture, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(middle, 0, 1)
        grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 6)
        column.setSpacing(5)
        column.addLayout(top)
        column.addLayout(grid)
        column.addWidget(self.bars, 1)
        column.addWidget(self._note)
        column.addLayout(badges)

    def _on_activated(self) -> None:
        self.source_chosen.emit(str(self.sources.currentData()))

    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self.text())


def _small(nats: float, sign: str = "") -> str:
    """Return a small number of nats with four decimals; what would read as zero is bounded instead."""
    return f"{sign}{nats:.4f}" if nats >= 5e-5 or nats == 0.0 else "< 0.0001"
