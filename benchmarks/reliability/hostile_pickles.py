"""Pickles that would run code, in every kind of file, opened by every reader: no canary, and nothing is unpickled."""

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.fuzz.isolation import Prepare, Tally, Trial, run
from benchmarks.fuzz.pickles import CANARY, containers, floods, gadgets
from benchmarks.reliability.dose import dose
from benchmarks.report import row
from core.config import DataConfig, ExperimentConfig
from core.data.dataset import DataError
from core.data.importing import import_picture, needs_import_choices, preview_import, suggested_config
from core.data.sources import load_dataset
from core.storage.foreign import unpickling
from core.storage.foreign.conversion import convert
from core.storage.foreign.process import WALL_SECONDS
from core.storage.model_file import ModelFileError, load_model
from core.storage.run_folder import CHECKPOINTS, MANIFEST, RUN, RunFolderError, load_checkpoint, load_record, read_run
from explorer.settings import Settings

DEFAULT = 200
FULL = 819
"""Every gadget in every kind of file."""
FLOOD_S = WALL_SECONDS + 5.0
"""A flood is given up after 10 s of processor time; beside other work that is more, but never more than the clock's."""
ROOM_BYTES = 64 * 2**20
_EVENTS = frozenset(
    {
        "pickle.find_class",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "pty.spawn",
        "shutil.copyfile",
        "sqlite3.connect",
        "ctypes.dlopen",
        "socket.connect",
    }
)
_seen: list[str] = []
_watched: list[str] = []


def main(count: int, seed: int) -> bool:
    """Print what came of so many payloads and of the floods; return whether every claim holds."""
    with tempfile.TemporaryDirectory() as folder:
        payloads = run(_payloads(count, seed, Path(folder)), count, batch=10, patience_s=120.0)
        # The quick ones alone for a small dose: the others take the 10 s that they are allowed.
        files = [name for name in floods() if count >= DEFAULT or name.startswith("bytes")]
        flooded = run(_floods(files, Path(folder)), len(files), batch=1, patience_s=120.0)
    return report(payloads, flooded)


def report(payloads: Tally, flooded: Tally) -> bool:
    """Print the rows of both tallies; return whether every claim holds."""
    for tally in (payloads, flooded):
        for line in (*tally.crashes, *tally.examples, *sorted(tally.outcomes)):
            print(line)
    peak = max(payloads.peak_bytes, flooded.peak_bytes)
    kept = [
        row("payloads, each opened by every reader", payloads.count, None, ""),
        row("canaries, or anything unpickled or started in this process", _not(payloads, "refused"), 0, "payloads"),
        row("exceptions of another kind, crashes, hangs", payloads.unexpected.total() + len(payloads.crashes), 0, ""),
        row("floods of time or memory", flooded.count, None, ""),
        row("floods that were not refused, or by another exception", _not(flooded, "refused"), 0, "files"),
        row("crashes and hangs of this process by a flood", len(flooded.crashes), 0, "files"),
        row("until a flood was given up, at most", flooded.longest_s, FLOOD_S, "s"),
        row("memory of this process, at most", peak / 2**20, ROOM_BYTES / 2**20, "MB"),
    ]
    return all(kept)


def _not(tally: Tally, outcome: str) -> int:
    as_wanted = sum(number for found, number in tally.outcomes.items() if found.startswith(outcome))
    return tally.count - as_wanted - len(tally.crashes)


def _look(path: Path) -> None:
    needs_import_choices(path)
    preview_import(path, suggested_config(path))


def _settings(path: Path) -> None:
    copy = path.with_name("settings.ini")
    copy.write_bytes(path.read_bytes())
    settings = Settings(copy)
    found = settings.theme, settings.recent_files, settings.last_document, settings.window_geometry.isEmpty()
    if found != ("system", (), None, True):
        raise AssertionError(f"the settings took {found!r} from the file")


def _run_folder(path: Path) -> None:
    data = path.read_bytes()
    folder = path.with_name("run")
    (folder / CHECKPOINTS).mkdir(parents=True)
    (folder / CHECKPOINTS / "step-1.safetensors").write_bytes(data)
    (folder / MANIFEST).write_bytes(data)
    (folder / "metrics.jsonl").write_bytes(data)
    told = {"format": "latent-explorer run", "version": 1, "name": "x", "created": "", "total_epochs": 1.0}
    (folder / RUN).write_text(json.dumps({**told, "config": ExperimentConfig().to_mapping()}))
    record = read_run(folder)
    load_record(record)
    (folder / RUN).write_bytes(data)
    try:
        load_checkpoint(record)
    finally:
        read_run(folder)


READERS: tuple[Callable[[Path], object], ...] = (
    load_model,
    lambda path: load_dataset(DataConfig(source=str(path), image_size=8)),
    _look,
    lambda path: import_picture(path, DataConfig(image_size=8)),
    _settings,
    _run_folder,
    convert,
)


def opened_everywhere(path: Path, canary: Path) -> str:
    """Open a file by every reader; return `refused`, or what happened that must not."""
    _watch(canary)
    for reader in READERS:
        with contextlib.suppress(ModelFileError, DataError, RunFolderError):
            reader(path)
        made = list(canary.parent.glob(f"{canary.name}*"))
        if made or _seen:
            return f"NOT HELD BACK: {path.name}: {len(made)} canaries, events {_seen}"
    return "refused"


def _watch(canary: Path) -> None:
    """Have the interpreter report what must not happen, from now on to the end of this process."""
    _seen.clear()
    _watched[:] = [str(canary)]
    # Once, since it can never be taken off again.
    if not _installed:
        _installed.append(True)
        sys.addaudithook(_note)


_installed: list[bool] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event in _EVENTS:
        _seen.append(event)
    elif event == "subprocess.Popen":
        command = arguments[1]
        ours = [sys.executable, "-P", unpickling.__file__]
        if not isinstance(command, list) or command[:3] != ours:
            _seen.append(event)
    elif event in ("open", "os.mkdir") and _watched and str(arguments[0]).startswith(_watched[0]):
        _seen.append(event)


def _payloads(count: int, seed: int, folder: Path) -> Prepare:
    kinds, names = list(containers()), list(gadgets(""))
    # Every kind and every gadget in turn, however few are wanted: their numbers have no common divisor.
    pairs = [
        (kinds[number % len(kinds)], names[(number + number // len(kinds)) % len(names)]) for number in range(FULL)
    ]
    shift = seed % FULL

    def prepare(index: int) -> Trial:
        kind, gadget = pairs[(index * (FULL // max(count, 1)) + index + shift) % FULL if count < FULL else index % FULL]
        own = folder / f"{os.getpid()}"
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir()
        canary = own / CANARY
        path = own / f"{gadget} {kind}"
        path.write_bytes(containers()[kind](gadgets(str(canary))[gadget]))
        return Trial(lambda: opened_everywhere(path, canary))

    return prepare


def _floods(names: list[str], folder: Path) -> Prepare:
    def prepare(index: int) -> Trial:
        path = folder / names[index]
        path.write_bytes(floods()[path.name]())
        return Trial(lambda: _flooded(path))

    return prepare


def _flooded(path: Path) -> str:
    try:
        convert(path)
    except ModelFileError as error:
        return f"refused, {path.name}: {error.reason}"
    return f"NOT REFUSED: {path.name}"


if __name__ == "__main__":
    wanted = dose(__doc__, DEFAULT, FULL)
    main(wanted.count, wanted.seed)
