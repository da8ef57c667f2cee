"""The house's rules as functions from a file's text to what breaks them; test_house.py runs and distrusts each."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("core", "explorer", "resources", "tests", "benchmarks")
MAX_LINES = 400
_NOT_OURS = {".git", ".venv", ".hypothesis", "build", "dist", "__pycache__"}
_TEXT = {".py", ".md", ".toml", ".txt", ".qss", ".svg", ".json", ".yml", ""}

# A plain object says nothing of what arrives; Qt copies a list item by item and loses a dict altogether.
_VAGUE_TYPES = {"object", "dict", "list", "set", "Any"}
SIGNALS_OF_ANY_TYPE = {
    "edited": "a setting's value has whichever plain type the setting declares",
    "setting_edited": "as in the form it comes from",
}

_VAGUE_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common|stuff)(_|$)")
_VAGUE_CLASSES = re.compile(r"(Utils?|Helpers?|Manager|Misc)$")
# Written so that none of them finds itself here.
_FOREIGN_WORDS = re.compile(
    r"/[w]ork/|/[t]mp/(?!\.X11-unix)|/[r]oot/|/[o]pt/|[g]uides/|[a]ssistant|[c]laude|[a]nthropic|[c]hatgpt|[o]penai"
    r"|\b[i]ssues? #?\d|\b(this|a|another) [s]ession of\b|[e]xtra-index-url|[f]ind-links"
    r"|\b[T]ODO\b|\b[F]IXME\b|\b[X]XX\b",
    re.IGNORECASE,
)


def python_files(*rooms: str) -> list[Path]:
    """Return the Python files of the rooms, of all rooms without an argument, and `main.py` with all."""
    inside = [path for room in rooms or ROOMS for path in (ROOT / room).rglob("*.py")]
    return sorted(inside if rooms else [*inside, *ROOT.glob("*.py")])


def text_files() -> list[Path]:
    """Return every file of the project that people read."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not _is_foreign(name)]
        found += [Path(folder, name) for name in names if Path(name).suffix in _TEXT and name not in _NOT_OURS]
    return sorted(found)


def _is_foreign(folder: str) -> bool:
    return folder in _NOT_OURS or folder.endswith(("_cache", ".egg-info"))


def connections(source: str) -> Iterator[str]:
    """Yield each `connect()` whose slot is not visibly a bound method or a signal: it may run in the wrong thread."""
    tree = ast.parse(source)
    modules = {
        alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "connect"):
            continue
        slot = node.args[0] if node.args else None
        of_a_module = isinstance(slot, ast.Attribute) and isinstance(slot.value, ast.Name) and slot.value.id in modules
        if slot is not None and (of_a_module or not isinstance(slot, ast.Attribute)):
            yield f"line {node.lineno}: {ast.unparse(slot)} is no bound method of a QObject"


def vague_signals(source: str) -> Iterator[str]:
    """Yield each signal that carries a type which says nothing, except those with a reason."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call)):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if not isinstance(target, ast.Name) or ast.unparse(node.value.func).rpartition(".")[2] != "Signal":
            continue
        vague = {ast.unparse(argument).partition("[")[0] for argument in node.value.args} & _VAGUE_TYPES
        if vague and target.id not in SIGNALS_OF_ANY_TYPE:
            yield f"line {node.lineno}: {target.id} = Signal({', '.join(sorted(vague))})"


def foreign_spellings(source: str, overridable: frozenset[str]) -> Iterator[str]:
    """Yield each camelCase function that overrides nothing of Qt's."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and re.search(r"[a-z][A-Z]", node.name) and node.name not in overridable:
            yield f"line {node.lineno}: {node.name}"


def vague_names(source: str, path: Path) -> Iterator[str]:
    """Yield the names of a module and its classes that say nothing of what is inside."""
    if _VAGUE_NAMES.search(path.stem):
        yield path.name
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and _VAGUE_CLASSES.search(node.name):
            yield f"line {node.lineno}: class {node.name}"


_MAY_HAVE_THREADS = (
    "explorer/workers/",
    "tests/",
    "benchmarks/",
    # It reads ahead, also of a run without a window; nobody else knows of that thread.
    "core/training/streamed.py",
)


def threads_outside_workers(source: str, path: str) -> Iterator[str]:
    """Yield each import of a thread class outside the one room that may have threads."""
    if path.startswith(_MAY_HAVE_THREADS):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = {alias.name for alias in node.names}
            module = node.module if isinstance(node, ast.ImportFrom) else ""
            if "QThread" in names or module == "concurrent.futures" or (module == "threading" and "Thread" in names):
                yield f"line {node.lineno}: {ast.unparse(node)}"


def foreign_words(text: str) -> Iterator[str]:
    """Yield each word that speaks of the place where the project was written rather than of the project."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in _FOREIGN_WORDS.finditer(line):
            yield f"line {number}: {found.group()}"


def dead_links(text: str, folder: Path) -> Iterator[str]:
    """Yield each relative link of a Markdown page whose file is not there."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not re.match(r"[a-z]+:", target) and not (folder / target).exists():
            yield target
