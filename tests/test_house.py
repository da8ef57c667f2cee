"""The house's rules hold, and each rule notices the fault it is there for."""

import inspect
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pyqtgraph
import pytest
from PySide6 import QtCore, QtGui, QtWidgets

from tests import house_rules as rules
from tests.house_rules import ROOT

NEEDS_TORCH = (
    "core.cli",
    "core.inference.ascent",
    "core.inference.evidence",
    "core.inference.fixed_decoder",
    "core.inference.gaps",
    "core.inference.gaussians",
    "core.inference.gradients",
    "core.inference.importance",
    "core.inference.ladder",
    "core.inference.modes",
    "core.inference.torch_coder",
    "core.inference.variational",
    "core.models",
    "core.objectives",
    "core.probability",
    "core.tensors",
    "core.training",
)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def broken(found: dict[str, list[str]]) -> str:
    """Return the files with something found, a line each."""
    return "\n".join(f"{path}: {', '.join(what)}" for path, what in found.items() if what)


# ---- cross-thread signals ------------------------------------------------------------------------------------------


def test_signals_connect_to_bound_methods_only() -> None:
    found = {
        relative(path): list(rules.connections(path.read_text("utf-8"))) for path in rules.python_files("explorer")
    }
    assert not broken(found)


@pytest.mark.parametrize(
    "slot", ["lambda: None", "partial(self.show, 3)", "functools.partial(f)", "show", "make_slot()", "logging.warning"]
)
def test_a_slot_that_would_run_in_the_emitting_thread_is_noticed(slot: str) -> None:
    source = f"import logging\ndef build(self):\n    def show(): ...\n    self.worker.ended.connect({slot})"
    assert list(rules.connections(source))


@pytest.mark.parametrize("slot", ["self.show", "self.session.pause", "view.intent, Qt.ConnectionType.QueuedConnection"])
def test_a_bound_method_is_allowed_as_slot(slot: str) -> None:
    assert not list(rules.connections(f"self.worker.ended.connect({slot})"))


def test_signals_say_what_they_carry() -> None:
    found = {
        relative(path): list(rules.vague_signals(path.read_text("utf-8"))) for path in rules.python_files("explorer")
    }
    assert not broken(found)


@pytest.mark.parametrize("carried", ["object", "int, dict", "list", "list[int]", "Any"])
def test_a_signal_of_a_vague_type_is_noticed(carried: str) -> None:
    assert list(rules.vague_signals(f"class A(QObject):\n    ended = Signal({carried})"))
    assert list(rules.vague_signals(f"class A(QObject):\n    ended = QtCore.Signal({carried})"))


def test_a_signal_of_a_class_is_allowed() -> None:
    assert not list(rules.vague_signals("class A(QObject):\n    ended = Signal(int, Extent, frozenset)"))


def test_threads_live_in_workers_only() -> None:
    found = {
        relative(path): list(rules.threads_outside_workers(path.read_text("utf-8"), relative(path)))
        for path in rules.python_files()
    }
    assert not broken(found)


@pytest.mark.parametrize(
    "line",
    [
        "from PySide6.QtCore import QObject, QThread",
        "from threading import Thread",
        "from concurrent.futures import ThreadPoolExecutor",
    ],
)
def test_a_thread_in_another_room_is_noticed(line: str) -> None:
    assert list(rules.threads_outside_workers(line, "explorer/views/a.py"))
    assert not list(rules.threads_outside_workers(line, "explorer/workers/a.py"))


# ---- names and sizes -----------------------------------------------------------------------------------------------


def names_of_qt() -> frozenset[str]:
    """Return the name of every method that a class of Qt or pyqtgraph has."""
    modules: tuple[ModuleType, ...] = (QtCore, QtGui, QtWidgets, pyqtgraph)
    return frozenset(
        name for module in modules for _, entry in inspect.getmembers(module, inspect.isclass) for name in dir(entry)
    )


def test_camel_case_is_for_overrides_of_qt() -> None:
    qt = names_of_qt()
    found = {
        relative(path): list(rules.foreign_spellings(path.read_text("utf-8"), qt)) for path in rules.python_files()
    }
    assert not broken(found)


def test_a_camel_case_function_of_our_own_is_noticed() -> None:
    qt = names_of_qt()
    assert list(rules.foreign_spellings("class A(QWidget):\n    def setCodes(self): ...", qt)) == ["line 2: setCodes"]
    assert not list(rules.foreign_spellings("class A(QWidget):\n    def mousePressEvent(self, event): ...", qt))


def test_names_say_what_is_inside() -> None:
    found = {relative(path): list(rules.vague_names(path.read_text("utf-8"), path)) for path in rules.python_files()}
    assert not broken(found)


@pytest.mark.parametrize("name", ["utils.py", "plot_helpers.py", "manager.py", "misc.py"])
def test_a_name_that_says_nothing_is_noticed(name: str) -> None:
    assert list(rules.vague_names("", Path(name)))
    assert list(rules.vague_names("class RunManager: ...", Path("runs.py")))
    assert not list(rules.vague_names("class Run: ...", Path("runs.py")))


def test_files_are_short_enough_to_read() -> None:
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for path in rules.python_files()}
    assert lengths
    assert not {path: length for path, length in lengths.items() if length > rules.MAX_LINES}


# ---- what the project speaks of ------------------------------------------------------------------------------------


def test_the_project_speaks_only_of_itself() -> None:
    files = rules.text_files()
    assert {"run", "README.md", "core/config.py"} <= {relative(path) for path in files}
    assert not broken({relative(path): list(rules.foreign_words(path.read_text("utf-8"))) for path in files})


@pytest.mark.parametrize(
    "word", ["/w" + "ork/data", "/t" + "mp/x.png", "guid" + "es/math.md", "TO" + "DO", "iss" + "ue 2"]
)
def test_a_word_about_elsewhere_is_noticed(word: str) -> None:
    assert list(rules.foreign_words(f"# see {word}"))


def test_links_lead_somewhere() -> None:
    pages = [path for path in rules.text_files() if path.suffix == ".md"]
    assert pages
    assert not broken({relative(page): list(rules.dead_links(page.read_text("utf-8"), page.parent)) for page in pages})


def test_a_dead_link_is_noticed() -> None:
    assert list(rules.dead_links("![picture](docs/no-such.png) [q](README.md#top)", ROOT)) == ["docs/no-such.png"]


# ---- what is loaded when -------------------------------------------------------------------------------------------


def imported_with(modules: list[str], unwanted: str, folder: Path) -> list[str]:
    """Return those of the modules whose import in a fresh process first loads the unwanted package."""
    program = textwrap.dedent(
        """
        import importlib, json, sys
        names, unwanted = json.loads(sys.argv[1])
        guilty = []
        for name in names:
            importlib.import_module(name)
            if unwanted in sys.modules:
                guilty.append(name)
                break
        print(json.dumps(guilty))
        """
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program, json.dumps([modules, unwanted])],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    guilty: list[str] = json.loads(done.stdout.splitlines()[-1])
    return guilty


def modules_of(*rooms: str) -> list[str]:
    """Return the dotted names of the rooms' modules, packages by their own name."""
    paths = [path.relative_to(ROOT) for path in rules.python_files(*rooms)]
    return [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths]


def test_the_window_stands_before_torch_is_loaded() -> None:
    free = [name for name in modules_of("core", "explorer") if not name.startswith(NEEDS_TORCH)]
    assert {"core.data", "core.storage", "core.inference", "explorer.views", "explorer.workers"} <= set(free)
    assert not imported_with(free, "torch", ROOT)


def test_core_never_loads_qt() -> None:
    assert not imported_with(modules_of("core"), "PySide6", ROOT)


def test_a_module_that_loads_what_it_should_not_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "early.py").write_text("import json")
    (tmp_path / "late.py").write_text("import sqlite3")
    assert imported_with(["early", "late"], "sqlite3", tmp_path) == ["late"]


# ---- layers --------------------------------------------------------------------------------------------------------


def lint_imports(folder: Path) -> tuple[int, str]:
    """Return the exit status and report of import-linter over a copy of the project."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as c; c()",
            "--no-cache",
        ],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copied_house(tmp_path: Path) -> Path:
    """Return a copy of the rooms and their contracts."""
    for room in ("core", "explorer"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "resources").mkdir()
    shutil.copy(ROOT / "resources" / "__init__.py", tmp_path / "resources")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_imports_run_downward(copied_house: Path) -> None:
    status, report = lint_imports(copied_house)
    assert status == 0, report


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("core/shapes.py", "import core.config", "core: imports run downward BROKEN"),
        ("core/data/__init__.py", "import core.models.build", "core: imports run downward BROKEN"),
        ("explorer/theme.py", "import explorer.views", "explorer: imports run downward BROKEN"),
        ("core/history.py", "import PySide6.QtCore", "core knows neither Qt nor the app BROKEN"),
        ("explorer/views/__init__.py", "import torch", "only workers know torch and the learning half of core BROKEN"),
        ("explorer/views/__init__.py", "import core.training", "only workers know torch and the learning half"),
        ("core/cellar.py", "", "cellar"),
    ],
)
def test_a_forbidden_import_is_noticed(copied_house: Path, module: str, line: str, contract: str) -> None:
    file = copied_house / module
    before = file.read_text("utf-8") if file.exists() else '"""A room that no layer names."""'
    file.write_text(f"{before}\n{line}\n", "utf-8")
    status, report = lint_imports(copied_house)
    assert status != 0
    assert contract in " ".join(report.split()), report
