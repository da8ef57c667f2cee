"""What hands do to a window: scripts of real mouse, wheel, key and drop events, drawn at random."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import shiboken6
from PySide6.QtCore import (
    QEvent,
    QMimeData,
    QObject,
    QPoint,
    QPointF,
    Qt,
    QUrl,
)
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QWheelEvent,
    QWindow,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QFileDialog,
    QLineEdit,
    QTabBar,
    QWidget,
)

from explorer.commands.table import COMMANDS
from explorer.program import Program

_LEFT, _RIGHT, _MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
_NO_KEYS = Qt.KeyboardModifier.NoModifier
_KEYS = (
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown),
    *(Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Return, Qt.Key.Key_Escape),
    *(Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Insert, Qt.Key.Key_P, Qt.Key.Key_E),
    *(Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight, Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_0, Qt.Key.Key_R),
    *(Qt.Key.Key_F10, Qt.Key.Key_Menu, Qt.Key.Key_1, Qt.Key.Key_9, Qt.Key.Key_Period),
)
_FIRST_WITHOUT_LETTER = 128
_NUMBERS = "0 1 2 -1 1e308 -1e308 nan inf 1e-300 0.5 64 400-200 ä€ 1e6 999999"
_TEXTS = ("", *_NUMBERS.split())
_REST_MS = (0, 5, 30, 150)


class Hands(QObject):
    """Scripts of events on a program: each yields after one event, and says what it was."""

    def __init__(self, program: Program, files: dict[str, list[Path]], numbers: random.Random) -> None:
        super().__init__()
        self._program = program
        self._files = files
        self._random = numbers
        self.events = 0
        self._actions: tuple[tuple[int, Callable[[], Iterator[str]]], ...] = (
            (10, self._drag_on_canvas),
            (4, self._zoom_canvas),
            (6, self._draw),
            (8, self._drag_somewhere),
            (18, self._click_somewhere),
            (4, self._wheel_somewhere),
            (16, self._keys),
            (5, self._type_in_a_field),
            (5, self._choose_in_a_combo),
            (5, self._move_a_slider),
            (5, self._command),
            (4, self._run_command),
            (3, self._shortcut),
            (1, self._resize),
            (2, self._docks),
            (2, self._menu),
            (1, self._drop),
            (1, self._clipboard),
            (4, self._rest),
        )

    def script(self) -> Iterator[str]:
        """Return what the hands do next."""
        chosen = self._random.choices(self._actions, [weight for weight, _ in self._actions])[0]
        return chosen[1]()

    def pause(self, milliseconds: int) -> None:
        """Have the next events wait so long."""

    def _widgets(self, *kinds: type[QWidget]) -> list[QWidget]:
        tops = [one for one in QApplication.topLevelWidgets() if one.isVisible() and not isinstance(one, QFileDialog)]
        modal = QApplication.activeModalWidget()
        if modal is not None:
            tops = [modal]
        found = [child for top in tops for child in (top, *top.findChildren(QWidget))]
        return [one for one in found if isinstance(one, kinds or QWidget) and one.isVisible() and one.isEnabled()]

    def _choose(self, *kinds: type[QWidget]) -> QWidget:
        popup = QApplication.activePopupWidget()
        if popup is not None and self._random.random() < 0.8:
            return popup
        found = self._widgets(*kinds)
        return self._random.choice(found) if found else self._program.window

    def _place(self, widget: QWidget) -> QPoint:
        return QPoint(self._random.randrange(max(widget.width(), 1)), self._random.randrange(max(widget.height(), 1)))

    def _window_of(self, widget: QWidget) -> QWindow | None:
        return widget.window().windowHandle() if _is_there(widget) and widget.isVisible() else None

    def _mouse(self, act: Callable[..., object], widget: QWidget, place: QPoint, button: Qt.MouseButton) -> None:
        """Give a mouse event to the window of a widget, as the system does: Qt finds who is to have it."""
        window = self._window_of(widget)
        if window is not None:
            act(window, button, self._modifier(), widget.mapTo(widget.window(), place))

    def _move(self, widget: QWidget, place: QPoint) -> None:
        window = self._window_of(widget)
        if window is not None:
            QTest.mouseMove(window, widget.mapTo(widget.window(), place))

    def _modifier(self) -> Qt.KeyboardModifier:
        if self._random.random() < 0.9:
            return _NO_KEYS
        return self._random.choice((Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier))

    def _drag(self, widget: QWidget, button: Qt.MouseButton = _LEFT) -> Iterator[str]:
        name, place = _named(widget), self._place(widget)
        self._mouse(QTest.mousePress, widget, place, button)
        yield f"press {name} {place.x()},{place.y()}"
        for _ in range(self._random.randrange(1, 25)):
            reach = self._random.choice((3, 30, 3000))
            place += QPoint(self._random.randint(-reach, reach), self._random.randint(-reach, reach))
            if not (QPoint(-5000, -5000).x() < place.x() < 5000 and -5000 < place.y() < 5000):
                place = self._place(widget)
            self._move(widget, place)
            yield f"move {name} {place.x()},{place.y()}"
        self._mouse(QTest.mouseRelease, widget, place, button)
        yield f"release {name}"

    def _drag_on_canvas(self) -> Iterator[str]:
        canvas = self._program.views.canvas
        # What can be dragged; far away after a zoom, it is beyond every mouse's reach.
        places = [
            QPointF(mark.x, mark.y).toPoint()
            for mark in canvas._marks  # noqa: SLF001 - to hit it
            if 0 <= mark.x < canvas.width() and 0 <= mark.y < canvas.height()
        ]
        if places and self._random.random() < 0.7 and canvas.isVisible():
            place = self._random.choice(places)
            self._mouse(QTest.mousePress, canvas, place, _LEFT)
            yield f"press a handle {place.x()},{place.y()}"
            for _ in range(self._random.randrange(2, 40)):
                place += QPoint(self._random.randint(-40, 40), self._random.randint(-40, 40))
                self._move(canvas, place)
                yield f"move a handle {place.x()},{place.y()}"
            self._mouse(QTest.mouseRelease, canvas, place, _LEFT)
            yield "release a handle"
        else:
            yield from self._drag(canvas, self._random.choice((_LEFT, _LEFT, _MIDDLE)))

    def _zoom_canvas(self) -> Iterator[str]:
        for _ in range(self._random.randrange(1, 12)):
            yield self._wheel(self._program.views.canvas, self._random.choice((-120, 120, 120, -1200, 6000, 15)))
        if self._random.random() < 0.5:
            self._program.window.commands.trigger("view.fit")
            yield "view.fit"

    def _draw(self) -> Iterator[str]:
        surface = self._program.views.draw_pad.surface
        if surface.isVisible():
            yield from self._drag(surface)
        else:
            self._program.window.docks.draw.raise_()
            yield "raise the pad"

    def _drag_somewhere(self) -> Iterator[str]:
        yield from self._drag(self._choose())

    def _click_somewhere(self) -> Iterator[str]:
        widget = self._choose(*((QAbstractButton, QTabBar) if self._random.random() < 0.5 else ()))
        name, place, button = _named(widget), self._place(widget), self._random.choice((_LEFT,) * 8 + (_RIGHT, _MIDDLE))
        self._mouse(QTest.mousePress, widget, place, button)
        yield f"press {name} {place.x()},{place.y()}"
        if _is_there(widget):
            self._mouse(QTest.mouseRelease, widget, place, button)
            yield f"release {name}"
        if _is_there(widget) and self._random.random() < 0.15:
            self._mouse(QTest.mouseDClick, widget, place, button)
            yield f"double click {name}"

    def _wheel(self, widget: QWidget, angle: int) -> str:
        place = QPointF(self._place(widget))
        there = QPointF(widget.mapToGlobal(place.toPoint()))
        none = Qt.MouseButton.NoButton
        event = QWheelEvent(
            place, there, QPoint(), QPoint(0, angle), none, self._modifier(), Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(widget, event)
        return f"wheel {angle} {_named(widget)}"

    def _wheel_somewhere(self) -> Iterator[str]:
        widget = self._choose()
        for _ in range(self._random.randrange(1, 6)):
            if _is_there(widget):
                yield self._wheel(widget, self._random.choice((-120, 120)))

    def _key_window(self) -> QWindow | None:
        popup = QApplication.activePopupWidget()
        if popup is not None:
            return popup.windowHandle()
        if QGuiApplication.focusWindow() is None:
            self._program.window.activateWindow()
        return QGuiApplication.focusWindow()

    def _click_key(self, key: Qt.Key, modifier: Qt.KeyboardModifier) -> None:
        """Press a key and let go of it, each in the window that has the keys then: the press may close the first.

        One event each.  QTest's own calls press the modifiers' keys as well, and lose their way where the window goes
        after the first of these events: they crash.
        """
        writes = key.value < _FIRST_WITHOUT_LETTER and modifier is not Qt.KeyboardModifier.ControlModifier
        text, repeats = chr(key.value).lower() if writes else "", False
        for is_pressed in (True, False):
            window = self._key_window()
            if window is not None:
                QTest.simulateEvent(window, is_pressed, key.value, modifier, text, repeats)

    def _keys(self) -> Iterator[str]:
        if self._random.random() < 0.5:
            focusable = [one for one in self._widgets() if one.focusPolicy() is not Qt.FocusPolicy.NoFocus]
            if focusable:
                self._random.choice(focusable).setFocus()
        for _ in range(self._random.randrange(1, 8)):
            key, modifier = self._random.choice(_KEYS), self._modifier()
            self._click_key(key, modifier)
            yield f"key {key.name}"

    def _type_in_a_field(self) -> Iterator[str]:
        fields = self._widgets(QLineEdit, QAbstractSpinBox)
        if not fields:
            return
        field, text = self._random.choice(fields), self._random.choice(_TEXTS)
        field.setFocus()
        if isinstance(field, QLineEdit | QAbstractSpinBox):
            field.selectAll()
        yield f"focus {_named(field)}"
        for letter in text:
            if _is_there(field):
                # QTest knows the keys of ASCII alone.
                for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                    QApplication.sendEvent(field, QKeyEvent(kind, 0, _NO_KEYS, letter))
                yield f"type {letter!r} in {_named(field)}"
        if _is_there(field):
            QTest.keyClick(field, self._random.choice((Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Escape)))
            yield f"end {_named(field)}"

    def _choose_in_a_combo(self) -> Iterator[str]:
        boxes = [one for one in self._widgets(QComboBox) if isinstance(one, QComboBox) and one.count()]
        if not boxes:
            return
        box = self._random.choice(boxes)
        if self._random.random() < 0.3:
            box.showPopup()
            yield f"open {_named(box)}"
            yield from self._keys()
            return
        box.setFocus()
        yield f"focus {_named(box)}"
        for _ in range(self._random.randrange(1, 5)):
            if _is_there(box):
                QTest.keyClick(box, self._random.choice((Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_End)))
                yield f"key in {_named(box)}: {box.currentText() if _is_there(box) else ''}"

    def _move_a_slider(self) -> Iterator[str]:
        tracks = [one for one in self._widgets() if isinstance(one, QAbstractSlider) or "Track" in type(one).__name__]
        if tracks:
            yield from self._drag(self._random.choice(tracks))

    def _command(self) -> Iterator[str]:
        name = self._random.choice(COMMANDS).name
        self._program.window.commands.trigger(name)
        yield f"command {name}"

    def _run_command(self) -> Iterator[str]:
        name = self._random.choice(("model.start", "model.stop", "model.pause_or_resume", "model.continue"))
        self._program.window.commands.trigger(name)
        yield f"command {name}"

    def _shortcut(self) -> Iterator[str]:
        keys = self._random.choice([one for one in COMMANDS if not one.key_sequence.isEmpty()]).key_sequence
        self._click_key(keys[0].key(), keys[0].keyboardModifiers())
        yield f"shortcut {keys.toString()}"

    def _resize(self) -> Iterator[str]:
        self._program.window.resize(self._random.randrange(400, 2400), self._random.randrange(300, 1500))
        yield "resize"
        if self._random.random() < 0.3:
            self._program.window.showMinimized()
            yield "minimise"
            self._program.window.showNormal()
            yield "restore"

    def _docks(self) -> Iterator[str]:
        dock = self._random.choice(self._program.window.findChildren(QDockWidget))
        what = self._random.choice(("show", "raise", "hide", "float", "unfloat"))
        if what == "float":
            dock.setFloating(True)
        elif what == "unfloat":
            dock.setFloating(False)
        elif what == "hide":
            dock.close()
        else:
            dock.show()
            dock.raise_()
        yield f"{what} dock {dock.objectName()}"

    def _menu(self) -> Iterator[str]:
        bar = self._program.window.menuBar()
        action = self._random.choice(bar.actions())
        self._mouse(QTest.mousePress, bar, bar.actionGeometry(action).center(), _LEFT)
        yield f"open menu {action.text()}"
        yield from self._keys()

    def _drop(self) -> Iterator[str]:
        window, mime = self._program.window, QMimeData()
        paths = self._random.choices([*self._files["open"], *self._files["folder"]], k=self._random.randrange(1, 4))
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        place = self._place(window)
        enter = QDragEnterEvent(place, Qt.DropAction.CopyAction, mime, _LEFT, _NO_KEYS)
        QApplication.sendEvent(window, enter)
        yield "drag files in"
        if self._random.random() < 0.2:
            QApplication.sendEvent(window, QEvent(QEvent.Type.DragLeave))
            yield "drag files out"
            return
        QApplication.sendEvent(window, QDropEvent(QPointF(place), Qt.DropAction.CopyAction, mime, _LEFT, _NO_KEYS))
        yield f"drop {', '.join(path.name for path in paths)}"

    def _clipboard(self) -> Iterator[str]:
        if self._random.random() < 0.5:
            size = self._random.choice(((28, 28), (1, 1), (400, 3), (900, 900)))
            grey = np.random.default_rng(self.events).integers(0, 255, size, dtype=np.uint8)
            image = QImage(grey.tobytes(), size[1], size[0], size[1], QImage.Format.Format_Grayscale8).copy()
            QGuiApplication.clipboard().setImage(image)
            yield "copy a picture"
        else:
            QGuiApplication.clipboard().setText(self._random.choice(_TEXTS))
            yield "copy a text"
        self._program.window.commands.trigger("edit.paste_picture")
        yield "paste"

    def _rest(self) -> Iterator[str]:
        pause = self._random.choice(_REST_MS)
        self.pause(pause)
        yield f"rest {pause} ms"
        self.pause(0)
        yield "go on"


def _is_there(widget: QWidget) -> bool:
    return bool(shiboken6.isValid(widget))  # type: ignore[no-untyped-call]


def _named(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName() or widget.accessibleName()!r}"
