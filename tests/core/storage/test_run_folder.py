"""The folder of a run: written by one, read by many, and what becomes of it when things break."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from core.saved_model import SavedModel
from core.storage import atomic
from core.storage.run_folder import (
    CHECKPOINTS,
    MANIFEST,
    METRICS,
    RUN,
    RunFolderError,
    interrupted_runs,
    load_checkpoint,
    load_record,
    read_run,
)
from core.storage.run_lock import OWNER, RunLock, owner_of
from core.storage.run_writer import RunWriter
from core.training.loop import TrainingRun
from tests.core.training.runs import a_run, same_arrays


@pytest.fixture
def run() -> TrainingRun:
    return a_run(epochs=5, steps_per_chunk=1)


@pytest.fixture
def writer(tmp_path: Path, run: TrainingRun) -> Iterator[RunWriter]:
    made = RunWriter.create(tmp_path / "runs" / "a", "Bars", run.config, run.total_epochs)
    yield made
    made.close()


def trained_on(run: TrainingRun, writer: RunWriter, steps: int) -> SavedModel:
    """Train so many steps, record them and write a checkpoint of each; return the last."""
    events = run.events()
    goal = run.step + steps
    while run.step < goal:
        step = run.step
        writer.record(next(events))
        if run.step > step:
            writer.checkpoint(run.saved())
    events.close()
    return run.saved()


def by_name(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return dict(sorted(arrays.items()))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / CHECKPOINTS).iterdir())


def test_the_last_three_checkpoints_are_kept(run: TrainingRun, writer: RunWriter) -> None:
    saved = trained_on(run, writer, 5)
    assert files(writer.path) == [f"step-{step:010}.safetensors" for step in (3, 4, 5)]
    record = read_run(writer.path)
    assert [checkpoint.step for checkpoint in record.checkpoints] == [3, 4, 5]
    assert (record.name, record.ending, record.total_epochs) == ("Bars", "", 5.0)
    found, problems = load_checkpoint(record)
    assert problems == ()
    assert same_arrays(by_name(found.weights), by_name(saved.weights))
    assert same_arrays(by_name(found.optimiser), by_name(saved.optimiser))
    history, problem = load_record(record)
    assert problem == ""
    assert same_arrays(history.to_arrays(), saved.history.to_arrays())


def test_files_have_the_mode_of_the_umask_and_no_temporary_stays(run: TrainingRun, writer: RunWriter) -> None:
    trained_on(run, writer, 2)
    mask = os.umask(0)
    os.umask(mask)
    for path in (writer.path / RUN, writer.path / MANIFEST, *(writer.path / CHECKPOINTS).iterdir()):
        assert path.stat().st_mode & 0o777 == 0o666 & ~mask, path
    assert not [path for path in writer.path.rglob("*") if path.name.endswith(".tmp")]


def test_a_checkpoint_of_the_same_step_is_not_written_twice(run: TrainingRun, writer: RunWriter) -> None:
    trained_on(run, writer, 2)
    (path,) = (writer.path / CHECKPOINTS).glob("*2.safetensors")
    before = path.stat().st_mtime_ns
    writer.checkpoint(run.saved())
    assert path.stat().st_mtime_ns == before
    assert len(read_run(writer.path).checkpoints) == 2


@pytest.mark.parametrize("place", [0.0, 0.3, 0.9999])
def test_a_flipped_bit_falls_back_to_the_checkpoint_before_and_says_so(
    run: TrainingRun, writer: RunWriter, place: float
) -> None:
    trained_on(run, writer, 4)
    newest = writer.path / CHECKPOINTS / files(writer.path)[-1]
    data = bytearray(newest.read_bytes())
    data[int(place * len(data))] ^= 4
    newest.write_bytes(data)
    saved, problems = load_checkpoint(read_run(writer.path))
    assert saved.history.last_step == 3
    assert len(problems) == 1
    assert "step 4 cannot be read: its bytes are not those that were written (SHA-256)" in problems[0]


def test_a_checkpoint_that_is_cut_short_or_gone_is_passed_over(run: TrainingRun, writer: RunWriter) -> None:
    trained_on(run, writer, 4)
    names = files(writer.path)
    (writer.path / CHECKPOINTS / names[2]).unlink()
    os.truncate(writer.path / CHECKPOINTS / names[1], 100)
    saved, problems = load_checkpoint(read_run(writer.path))
    assert saved.history.last_step == 2
    assert "No such file" in problems[0]
    assert "it has 100 bytes, not" in problems[1]


def test_where_no_checkpoint_is_whole_curves_and_configuration_remain(run: TrainingRun, writer: RunWriter) -> None:
    saved = trained_on(run, writer, 4)
    for name in files(writer.path):
        (writer.path / CHECKPOINTS / name).write_bytes(b"nothing")
    record = read_run(writer.path)
    with pytest.raises(RunFolderError, match="none of its checkpoints can be read: the checkpoint of step 4"):
        load_checkpoint(record)
    assert load_record(record)[0].last_step == saved.history.last_step
    assert record.config == run.config


@pytest.mark.parametrize("manifest", [b"", b"{", b"[]", b'{"format":"latent-explorer run","version":1}', b"\xff" * 50])
def test_a_lost_manifest_leaves_the_checkpoints_that_lie_there(
    run: TrainingRun, writer: RunWriter, manifest: bytes
) -> None:
    trained_on(run, writer, 4)
    (writer.path / MANIFEST).write_bytes(manifest)
    record = read_run(writer.path)
    saved, problems = load_checkpoint(record)
    assert saved.history.last_step == 4
    assert "manifest.json cannot be read" in problems[0]


@pytest.mark.parametrize("file", ["../../etc/passwd", "step-1.safetensors/../x", "/step-1.safetensors", "owner.json"])
def test_a_manifest_leads_to_no_other_file(run: TrainingRun, writer: RunWriter, file: str) -> None:
    trained_on(run, writer, 1)
    path = writer.path / MANIFEST
    manifest = json.loads(path.read_text("utf-8"))
    manifest["checkpoints"][0]["file"] = file
    path.write_text(json.dumps(manifest), "utf-8")
    record = read_run(writer.path)
    assert [checkpoint.file for checkpoint in record.checkpoints] == files(writer.path)
    assert "is no checkpoint" in record.problems[0]


@pytest.mark.parametrize("name", [RUN, MANIFEST])
def test_a_newer_version_is_refused_with_both_numbers(run: TrainingRun, writer: RunWriter, name: str) -> None:
    trained_on(run, writer, 1)
    path = writer.path / name
    path.write_text(path.read_text("utf-8").replace('"version": 1', '"version": 7'), "utf-8")
    if name == RUN:
        with pytest.raises(RunFolderError, match=r"version 7, of a newer program; this one reads versions up to 1"):
            read_run(writer.path)
    else:
        assert "version 7, of a newer program" in read_run(writer.path).problems[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not JSON"),
        ("{}", "is not that of a run"),
        ('{"format":"latent-explorer run","version":"x"}', "which is none"),
        ('{"format":"latent-explorer run","version":1}', "lacks what a run needs"),
        ('{"format":"latent-explorer run","version":1,"version":1}', "twice"),
        ("[" * 100_000, "nested too deeply"),
        (" " * 2_000_000, "more than 1,048,576 bytes"),
    ],
)
def test_a_damaged_run_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / RUN).write_text(text, "utf-8")
    with pytest.raises(RunFolderError, match=reason):
        read_run(tmp_path)


# One writer


def test_a_folder_has_one_writer_and_says_who_it_is(run: TrainingRun, writer: RunWriter) -> None:
    trained_on(run, writer, 1)
    with pytest.raises(RunFolderError, match=f"is being written by process {os.getpid()} on"):
        RunWriter.take_up(writer.path, 1)
    assert interrupted_runs(writer.path.parent) == ()
    writer.close()
    (record,) = interrupted_runs(writer.path.parent)
    assert record.path == writer.path
    other = RunWriter.take_up(writer.path, 1)
    other.end("completed")
    other.close()
    assert interrupted_runs(writer.path.parent) == ()
    assert read_run(writer.path).ending == "completed"


_HOLDER = "import sys; from core.storage.run_lock import RunLock; from pathlib import Path\n"
_HOLDER += "lock = RunLock(Path(sys.argv[1])); print(lock.acquire(), flush=True); sys.stdin.read()"


def test_the_lock_of_a_killed_process_is_free_at_once(run: TrainingRun, writer: RunWriter) -> None:
    trained_on(run, writer, 1)
    writer.close()
    command = [sys.executable, "-c", _HOLDER, str(writer.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:  # noqa: S603 - this very interpreter
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert owner_of(writer.path).startswith(f"process {holder.pid} on ")
        with pytest.raises(RunFolderError, match=f"process {holder.pid}"):
            RunWriter.take_up(writer.path, 1)
        holder.kill()
        holder.wait()
    assert len(interrupted_runs(writer.path.parent)) == 1
    RunWriter.take_up(writer.path, 1).close()


def test_an_owner_that_cannot_be_read_is_another_program(tmp_path: Path) -> None:
    assert owner_of(tmp_path) == "another program"
    (tmp_path / OWNER).write_bytes(b'{"pid": "x", "host": 1}')
    assert owner_of(tmp_path) == "another program"


def test_whether_a_folder_is_free_can_be_asked_without_taking_it(tmp_path: Path) -> None:
    lock = RunLock(tmp_path)
    assert lock.is_free()
    assert lock.acquire()
    assert not RunLock(tmp_path).is_free()
    lock.release()
    assert RunLock(tmp_path).is_free()


# What fails


def test_a_folder_that_was_removed_is_made_again_with_all_that_is_known(run: TrainingRun, writer: RunWriter) -> None:
    trained_on(run, writer, 3)
    shutil.rmtree(writer.path)
    saved = trained_on(run, writer, 1)
    record = read_run(writer.path)
    assert [checkpoint.step for checkpoint in record.checkpoints] == [4]
    assert same_arrays(load_record(record)[0].to_arrays(), saved.history.to_arrays())
    assert not RunLock(writer.path).is_free()


def test_a_folder_that_was_renamed_keeps_what_it_has(run: TrainingRun, writer: RunWriter) -> None:
    trained_on(run, writer, 3)
    moved = writer.path.with_name("moved")
    writer.path.rename(moved)
    trained_on(run, writer, 1)
    assert load_checkpoint(read_run(moved))[0].history.last_step == 3
    assert load_checkpoint(read_run(writer.path))[0].history.last_step == 4


def _failing_at(number: int, call: Callable[..., object], error: int) -> Callable[..., object]:
    count = iter(range(10**6))

    def fail(*arguments: object, **keywords: object) -> object:
        if next(count) == number:
            raise OSError(error, os.strerror(error))
        return call(*arguments, **keywords)

    return fail


def _attempt(writer: RunWriter, run: TrainingRun) -> str | None:
    try:
        writer.checkpoint(run.saved())
    except RunFolderError as error:
        return error.reason
    return None


@pytest.mark.parametrize("call", ["write", "fsync", "open", "replace", "unlink"])
@pytest.mark.parametrize("number", range(4))
def test_a_call_that_fails_leaves_a_checkpoint_that_loads_and_the_next_one_is_written(
    run: TrainingRun, writer: RunWriter, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    trained_on(run, writer, 3)
    monkeypatch.setattr(atomic, "_CHUNK_BYTES", 8192)
    owner = Path if call in ("replace", "unlink") else os
    events = run.events()
    while run.step < 4:
        writer.record(next(events))
    with monkeypatch.context() as patch:
        patch.setattr(owner, call, _failing_at(number, getattr(owner, call), errno.ENOSPC))
        assert _attempt(writer, run) in (None, "could not be written: the disk is full")
    assert load_checkpoint(read_run(writer.path))[0].history.last_step in (3, 4)
    events.close()
    trained_on(run, writer, 1)
    saved, problems = load_checkpoint(read_run(writer.path))
    assert (saved.history.last_step, problems) == (5, ())
    history, problem = load_record(read_run(writer.path))
    assert (history.last_step, problem) == (5, "")


def test_a_folder_that_cannot_be_made_is_said_with_the_reason(tmp_path: Path, run: TrainingRun) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RunFolderError, match="could not be made: Not a directory"):
        RunWriter.create(tmp_path / "file" / "a", "Bars", run.config, 1.0)


def test_no_folder_that_is_there_is_taken_for_a_new_run(tmp_path: Path, run: TrainingRun) -> None:
    writers = [RunWriter.create(tmp_path / "b", "Bars", run.config, 1.0) for _ in range(3)]
    assert [writer.path.name for writer in writers] == ["b", "b 2", "b 3"]
    for writer in writers:
        writer.close()


def test_what_was_recorded_after_a_checkpoint_is_left_out_when_a_run_is_taken_up(
    run: TrainingRun, writer: RunWriter
) -> None:
    trained_on(run, writer, 3)
    events = run.events()
    while run.step < 5:
        writer.record(next(events))
    writer.close()
    assert load_record(read_run(writer.path))[0].last_step == 5
    RunWriter.take_up(writer.path, 3).close()
    assert load_record(read_run(writer.path))[0].last_step == 3
    assert (writer.path / METRICS).read_bytes().count(b"\n") > 5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(run: TrainingRun, writer: RunWriter) -> None:
    trained_on(run, writer, 4)
    for path in (writer.path / CHECKPOINTS / files(writer.path)[-1], writer.path / METRICS, writer.path / OWNER):
        path.unlink()
        os.mkfifo(path)
    record = read_run(writer.path)
    saved, problems = load_checkpoint(record)
    assert saved.history.last_step == 3
    assert "it is a pipe or a device" in problems[0]
    assert "it is a pipe or a device" in load_record(record)[1]
    assert owner_of(writer.path) == "another program"
    (writer.path / MANIFEST).unlink()
    os.mkfifo(writer.path / MANIFEST)
    assert "it is a pipe or a device" in read_run(writer.path).problems[0]
