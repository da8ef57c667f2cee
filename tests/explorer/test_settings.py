from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray, QSettings

from explorer.settings import LAYERS, MAX_RECENT_FILES, Settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.ini"


def test_a_new_file_gives_the_defaults(path: Path) -> None:
    settings = Settings(path)
    assert settings.theme == "system"
    assert settings.recent_files == ()
    assert settings.last_document is None
    assert settings.window_geometry.isEmpty()
    assert settings.window_state.isEmpty()
    assert settings.layers == frozenset(LAYERS)
    assert settings.show_timing is False


def test_everything_comes_back_after_a_restart(path: Path, tmp_path: Path) -> None:
    before = Settings(path)
    before.theme = "dark"
    before.last_document = tmp_path / "ünïcode, with comma.safetensors"
    before.window_geometry = QByteArray(b"\0\1geometry")
    before.window_state = QByteArray(b"\0\2state")
    before.layers = frozenset({"mosaic"})
    before.show_timing = True
    before.brush_size = 31.5
    before.smoothing = 0.25
    before.curves_quantity = "kl"
    before.add_recent_file(tmp_path / "one, two.npz")
    assert before.save()
    after = Settings(path)
    assert after.theme == "dark"
    assert after.last_document == tmp_path / "ünïcode, with comma.safetensors"
    assert after.window_geometry == QByteArray(b"\0\1geometry")
    assert after.window_state == QByteArray(b"\0\2state")
    assert after.layers == frozenset({"mosaic"})
    assert after.show_timing is True
    assert (after.brush_size, after.smoothing, after.curves_quantity) == (31.5, 0.25, "kl")
    assert after.recent_files == (tmp_path / "one, two.npz",)


def test_recent_files_are_newest_first_without_doubles_and_at_most_ten(path: Path, tmp_path: Path) -> None:
    settings = Settings(path)
    for number in range(MAX_RECENT_FILES + 3):
        settings.add_recent_file(tmp_path / f"{number}")
    settings.add_recent_file(tmp_path / "5")
    names = [recent.name for recent in settings.recent_files]
    assert names == ["5", "12", "11", "10", "9", "8", "7", "6", "4", "3"]


def test_a_missing_file_can_be_removed_from_the_recent_ones(path: Path, tmp_path: Path) -> None:
    settings = Settings(path)
    settings.add_recent_file(tmp_path / "gone")
    settings.add_recent_file(tmp_path / "there")
    settings.remove_recent_file(tmp_path / "gone")
    assert settings.recent_files == (tmp_path / "there",)
    settings.clear_recent_files()
    assert Settings(path).recent_files == ()


def test_a_state_of_another_arrangement_of_docks_is_not_restored(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(path)
    settings.window_state = QByteArray(b"old docks")
    monkeypatch.setattr("explorer.settings.LAYOUT_VERSION", 999)
    assert settings.window_state.isEmpty()


def test_an_unknown_theme_is_refused_and_named(path: Path) -> None:
    with pytest.raises(ValueError, match="must be one of system, light, dark, not 'pink'"):
        Settings(path).theme = "pink"


@pytest.mark.parametrize(
    "text",
    [
        "[window]\ntheme=pink\ngeometry=nonsense\nstate=7\nlayout=1\n[files]\nrecent=@Variant(\\0\\0)\nlast_document=\n",
        "[canvas]\ncodes=maybe\ntiming=@ByteArray(x)\n[draw_pad]\nbrush_size=1e999\n[curves]\nsmoothing=nan\n",
        "not an ini file at all \x00\xff",
        "[files]\nrecent=@Invalid()\nlast_document=@Point(1 2)\n",
    ],
)
def test_garbage_in_the_file_gives_defaults(path: Path, text: str) -> None:
    path.write_text(text, encoding="latin-1")
    _read_everything(Settings(path))
    settings = Settings(path)
    assert (settings.theme, settings.brush_size, settings.smoothing) == ("system", 25.0, 0.937)
    assert settings.layers == frozenset(LAYERS)


@given(content=st.binary(max_size=200))
def test_no_content_of_the_file_makes_reading_fail(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.ini"
    path.write_bytes(b"[window]\ntheme=" + content + b"\n[files]\nrecent=" + content + b"\n[draw_pad]\n" + content)
    _read_everything(Settings(path))


def _read_everything(settings: Settings) -> None:
    names = [name for name, kept in vars(Settings).items() if isinstance(kept, property)]
    assert len(names) > 8
    for name in names:
        getattr(settings, name)


class _Canary:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def _disguises(text: str) -> dict[str, str]:
    at, head = "@Variant(", text.replace("\\", "\\")
    return {
        "plain": head,
        "hexadecimal": head.replace(at, "\\x40Variant("),
        "octal": head.replace(at, "\\100Variant("),
        "more digits than there are letters": head.replace(at, "\\x7f0040Variant("),
        "quoted": head.replace(at, '"@Var""iant("'),
        "continued": head.replace(at, "@V\\\n\\x61riant("),
        "in a list": head.replace("=@", "=a, @"),
    }


DISGUISES = ("plain", "hexadecimal", "octal", "more digits than there are letters", "quoted", "continued", "in a list")


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_python_object_in_the_file_is_never_unpickled(tmp_path: Path, disguise: str) -> None:
    canary = tmp_path / "canary"
    source = QSettings(str(tmp_path / "source.ini"), QSettings.Format.IniFormat)
    for key in ("window/theme", "files/recent", "window/geometry"):
        source.setValue(key, _Canary(canary))
    source.sync()
    path = tmp_path / "settings.ini"
    path.write_text(_disguises((tmp_path / "source.ini").read_text("utf-8"))[disguise], "utf-8")
    settings = Settings(path)
    assert (settings.theme, settings.recent_files) == ("system", ())
    assert settings.window_geometry.isEmpty()
    assert not canary.exists()
    assert (tmp_path / "settings.ini.refused").exists()
    settings.theme = "dark"
    assert settings.save()
    assert Settings(path).theme == "dark"


@pytest.mark.parametrize("disguise", DISGUISES)
def test_the_pickled_object_would_run_if_it_were_asked_for(tmp_path: Path, disguise: str) -> None:
    """The planted fault: what the file of the test above does to whoever just asks."""
    canary = tmp_path / "canary"
    source = QSettings(str(tmp_path / "source.ini"), QSettings.Format.IniFormat)
    source.setValue("window/theme", _Canary(canary))
    source.sync()
    text = _disguises((tmp_path / "source.ini").read_text("utf-8"))[disguise]
    (tmp_path / "copy.ini").write_text(text, "utf-8")
    QSettings(str(tmp_path / "copy.ini"), QSettings.Format.IniFormat).value("window/theme")
    assert canary.exists()


def test_a_file_too_large_for_settings_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "settings.ini"
    path.write_text("[window]\ntheme=dark\n" + "a=1\n" * 300_000)
    assert Settings(path).theme == "system"
    assert (tmp_path / "settings.ini.refused").exists()
