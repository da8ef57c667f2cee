import gc
from collections import Counter
from typing import Any

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QImage, QPainter
from PySide6.QtWidgets import QLineEdit, QMainWindow

from explorer.commands import icons
from explorer.commands.actions import ActionSet
from explorer.commands.availability import RUN_COMMANDS, available_run_commands
from explorer.commands.icons import tinted_icon
from explorer.commands.table import COMMANDS, MENUS, RECENT_MENU, RUNS_MENU, SEPARATOR, Command, Menu, command
from explorer.messages import RunState
from resources import resource

# Qt needs the application for its standard shortcuts; the offscreen platform says what it cannot do.
pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture
def window(qtbot: Any) -> QMainWindow:
    shown = QMainWindow()
    qtbot.addWidget(shown)
    return shown


@pytest.fixture
def commands(window: QMainWindow) -> ActionSet:
    return ActionSet(window)


def test_no_two_commands_share_a_name_or_a_shortcut() -> None:
    keys = Counter(entry.key_sequence.toString() for entry in COMMANDS if not entry.key_sequence.isEmpty())
    assert [key for key, times in keys.items() if times > 1] == []
    assert len({entry.name for entry in COMMANDS}) == len(COMMANDS)


def test_no_shortcut_is_a_key_that_buttons_and_fields_need() -> None:
    taken = {"Space", "Esc", "Return", "Enter", "Tab", "Left", "Right", "Up", "Down", "Del", "Backspace"}
    assert not taken & {entry.key_sequence.toString() for entry in COMMANDS}


def test_quit_is_control_q_only() -> None:
    assert command("file.quit").key_sequence.toString() == "Ctrl+Q"


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_has_a_help_and_its_icon_is_there(entry: Command) -> None:
    assert entry.help.endswith(".")
    assert not entry.icon or resource("icons", f"{entry.icon}.svg").is_file()


def test_every_command_is_in_exactly_one_menu() -> None:
    listed = Counter(name for menu in MENUS for name in _names(menu))
    assert set(listed) == {entry.name for entry in COMMANDS}
    assert max(listed.values()) == 1


def test_no_menu_uses_a_mnemonic_twice() -> None:
    for menu in MENUS:
        texts = [entry.text if isinstance(entry, Menu) else command(entry).text for entry in _real(menu)]
        letters = Counter(text[text.index("&") + 1].lower() for text in texts if "&" in text)
        assert [letter for letter, times in letters.items() if times > 1] == [], menu.text


def test_an_unknown_command_is_named_with_the_known_ones(commands: ActionSet) -> None:
    with pytest.raises(KeyError, match=r"unknown command 'file.explode'; known: file.open_model"):
        commands["file.explode"]


def test_a_triggered_command_is_announced_by_name(commands: ActionSet, qtbot: Any) -> None:
    with qtbot.waitSignal(commands.triggered_command) as given:
        commands["model.stop"].trigger()
    assert given.args == ["model.stop"]


def test_a_shortcut_gives_its_command(window: QMainWindow, commands: ActionSet, qtbot: Any) -> None:
    with qtbot.waitActive(window):
        window.show()
    with qtbot.waitSignal(commands.triggered_command) as given:
        qtbot.keyClick(window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    assert given.args == ["model.stop"]


def test_a_switch_announces_its_new_state(commands: ActionSet, qtbot: Any) -> None:
    with qtbot.waitSignal(commands.toggled_command) as given, qtbot.assertNotEmitted(commands.triggered_command):
        commands["view.mosaic"].trigger()
    assert given.args == ["view.mosaic", True]


def test_setters_announce_nothing(commands: ActionSet, qtbot: Any) -> None:
    with qtbot.assertNotEmitted(commands.toggled_command), qtbot.assertNotEmitted(commands.triggered_command):
        commands.set_checked("view.mosaic", True)
        commands.set_enabled("model.stop", False)
        commands.set_text("model.pause_or_resume", "&Resume", "start")
    assert commands.is_checked("view.mosaic")
    assert commands["model.pause_or_resume"].text() == "&Resume"


def test_themes_exclude_each_other(commands: ActionSet) -> None:
    for name in ("view.theme_light", "view.theme_dark"):
        commands[name].trigger()
    assert [commands.is_checked(f"view.theme_{name}") for name in ("system", "light", "dark")] == [False, False, True]


def test_a_disabled_command_cannot_be_given(commands: ActionSet, qtbot: Any) -> None:
    commands.set_enabled("file.save", False)
    with qtbot.assertNotEmitted(commands.triggered_command):
        commands.trigger("file.save")


def test_control_z_in_a_field_undoes_there(window: QMainWindow, commands: ActionSet, qtbot: Any) -> None:
    field = QLineEdit()
    window.setCentralWidget(field)
    with qtbot.waitActive(window):
        window.show()
    field.setFocus()
    qtbot.keyClicks(field, "512")
    with qtbot.assertNotEmitted(commands.triggered_command):
        qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert field.text() == ""


def test_an_icon_has_the_colour_asked_for_and_another_when_disabled() -> None:
    icon = tinted_icon("stop", "#ff0000", "#0000ff")
    middle = [icon.pixmap(32, mode=mode).toImage().pixelColor(16, 16).name() for mode in _MODES]
    assert middle == ["#ff0000", "#0000ff"]


@pytest.mark.parametrize("path", sorted(resource("icons").glob("*.svg")), ids=lambda path: path.stem)
def test_every_icon_draws_something_and_leaves_the_corners_free(path: Any) -> None:
    image = tinted_icon(path.stem, "#000000").pixmap(40, 40).toImage().convertToFormat(QImage.Format.Format_ARGB32)
    alpha = [image.pixelColor(x, y).alpha() for x in range(40) for y in range(40)]
    assert 0.03 < sum(alpha) / (255 * len(alpha)) < 0.6
    assert image.pixelColor(0, 0).alpha() == image.pixelColor(39, 39).alpha() == 0
    assert "currentColor" in path.read_text()


def test_a_missing_icon_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.svg"):
        tinted_icon("nothing")


def test_an_icon_is_drawn_where_it_is_shown_and_not_before() -> None:
    icons._icon.cache_clear()
    icons._drawn.cache_clear()
    icon = tinted_icon("stop")
    assert icons._drawn.cache_info().currsize == 0
    icon.pixmap(16, 16)
    assert icons._drawn.cache_info().currsize == 1


@pytest.mark.parametrize(("scaling", "pixels"), [(1.0, 14), (1.5, 21), (2.0, 28)])
def test_an_icon_is_as_large_as_asked_for_on_each_screen(scaling: float, pixels: int) -> None:
    drawn = tinted_icon("stop").pixmap(QSize(14, 14), scaling)
    assert (drawn.width(), drawn.height(), drawn.devicePixelRatio()) == (pixels, pixels, scaling)


def test_an_icon_that_is_painted_looks_like_its_pixmap() -> None:
    icon, painted = tinted_icon("stop", "#ff0000"), QImage(16, 16, QImage.Format.Format_ARGB32_Premultiplied)
    painted.fill(Qt.GlobalColor.transparent)
    painter = QPainter(painted)
    icon.paint(painter, QRect(0, 0, 16, 16))
    painter.end()
    assert painted == icon.pixmap(16, 16).toImage().convertToFormat(painted.format())


def test_the_copy_of_an_icon_that_is_changed_outlives_it() -> None:
    copy = QIcon(tinted_icon("stop", "#00ff00"))
    copy.setIsMask(True)
    gc.collect()
    assert copy.pixmap(32, 32).toImage().pixelColor(16, 16).name() == "#00ff00"
    assert not tinted_icon("stop", "#00ff00").isMask()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (RunState.IDLE, {"model.start", "model.continue"}),
        (RunState.STARTING, {"model.stop"}),
        (RunState.RUNNING, {"model.pause_or_resume", "model.stop"}),
        (RunState.PAUSED, {"model.pause_or_resume", "model.stop"}),
        (RunState.STOPPING, set()),
    ],
)
def test_training_commands_follow_the_state(state: RunState, expected: set[str]) -> None:
    assert available_run_commands(state, can_start=True, can_continue=True) == expected
    assert expected <= set(RUN_COMMANDS)


def test_without_data_or_model_nothing_can_be_trained() -> None:
    assert available_run_commands(RunState.IDLE, can_start=False, can_continue=False) == frozenset()


_MODES = (QIcon.Mode.Normal, QIcon.Mode.Disabled)


def _real(menu: Menu) -> list[str | Menu]:
    return [
        entry for entry in menu.entries if isinstance(entry, Menu) or entry not in {SEPARATOR, RECENT_MENU, RUNS_MENU}
    ]


def _names(menu: Menu) -> list[str]:
    return [name for entry in _real(menu) for name in (_names(entry) if isinstance(entry, Menu) else [entry])]


def test_every_action_is_a_child_that_the_window_knows(window: QMainWindow, commands: ActionSet) -> None:
    assert {action.data() for action in window.actions()} == {entry.name for entry in COMMANDS}
    assert all(isinstance(commands[entry.name], QAction) for entry in COMMANDS)
