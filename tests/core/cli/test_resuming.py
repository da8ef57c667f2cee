"""A training from the command line that was interrupted, and goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core import cli
from core.storage.model_file import load_model
from core.storage.run_folder import CHECKPOINTS, load_record, read_run
from core.storage.run_lock import RunLock
from core.training import keeping
from tests.core.cli.hands import SMALL, refused
from tests.house_rules import ROOT

MANY = "epochs=300"
EPOCHS = ["--set", "epochs=40", "--set", "schedule=cosine"]
_TRAIN = """
import sys
from core import cli
from core.training import keeping
keeping.FIRST_S = keeping.GAP_S = 0.05
keeping._SHARE = 1.0
keep = keeping.RunKeeper.keep
def told(keeper, run):
    keep(keeper, run)
    print("kept", flush=True)
keeping.RunKeeper.keep = told
sys.exit(cli.main(sys.argv[1:]))
"""


def arguments(data: Path, out: Path, *more: str) -> list[str]:
    return ["train", "--data", str(data), "--out", str(out), *EPOCHS, *SMALL, *more]


def killed(data: Path, out: Path, kind: signal.Signals) -> Path:
    """Train in a process of its own until there are two checkpoints, and kill it; return the run's folder."""
    command = [sys.executable, "-c", _TRAIN, *arguments(data, out, "--set", MANY)]
    folder = out.with_suffix(".run")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this very interpreter
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["kept\n"] * 2
        process.send_signal(kind)
        process.wait(30)
    return folder


def test_a_training_that_completes_leaves_the_model_alone(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    assert cli.main(arguments(data, out)) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.safetensors", data.name]


def test_a_killed_training_goes_on_to_the_weights_of_an_unbroken_one(data: Path, tmp_path: Path) -> None:
    unbroken, out = tmp_path / "unbroken.safetensors", tmp_path / "m.safetensors"
    assert cli.main(arguments(data, unbroken, "--set", MANY)) == 0
    folder = killed(data, out, signal.SIGKILL)
    record = read_run(folder)
    assert record.ending == ""
    assert RunLock(folder).is_free()
    assert cli.main(["train", "--resume", str(folder), "--out", str(out), "--force", "--quiet"]) == 0
    saved, expected = load_model(out), load_model(unbroken)
    assert record.checkpoints[-1].step < saved.history.last_step
    for name, array in expected.weights.items():
        np.testing.assert_array_equal(saved.weights[name], array)
    np.testing.assert_array_equal(saved.history.steps().nll, expected.history.steps().nll)
    assert not folder.exists(), "all it held is in the model's file"


def test_a_signal_leaves_a_run_that_can_go_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m.safetensors"
    sent: list[int] = []

    def keep_and_signal(*_: object) -> None:
        sent.append(1)
        if len(sent) == 30:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(keeping.RunKeeper, "keep_if_due", keep_and_signal)
    loud = [argument for argument in arguments(data, out) if argument != "--quiet"]
    assert cli.main(loud) == 143
    folder = out.with_suffix(".run")
    assert f"--resume {folder} trains on to the end" in capsys.readouterr().out
    record = read_run(folder)
    assert record.ending == ""
    assert record.checkpoints[-1].step == load_model(out).history.last_step == load_record(record)[0].last_step


def test_a_run_is_not_changed_while_it_is_resumed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = killed(data, tmp_path / "m.safetensors", signal.SIGKILL)
    resume = ["train", "--resume", str(folder), "--out", str(tmp_path / "n.safetensors")]
    message = refused(capsys, [*resume, "--set", "learning_rate=1"], 2)
    assert "a run goes on as it was configured" in message
    checkpoint = max((folder / CHECKPOINTS).iterdir())
    changed = ["train", "--resume", str(checkpoint), "--out", str(tmp_path / "n.safetensors"), "--set", "epochs=1"]
    assert cli.main([*changed, "--quiet"]) == 0
    assert folder.exists()


def test_a_run_that_another_program_writes_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = killed(data, tmp_path / "m.safetensors", signal.SIGKILL)
    lock = RunLock(folder)
    assert lock.acquire()
    resume = ["train", "--resume", str(folder), "--out", str(tmp_path / "n.safetensors"), "--quiet"]
    assert f"is being written by process {os.getpid()}" in refused(capsys, resume, 1)
    lock.release()


def test_an_interrupted_run_is_not_written_over_by_the_next_one(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    folder = killed(data, out, signal.SIGKILL)
    before = {path: path.read_bytes() for path in (folder / CHECKPOINTS).iterdir()}
    assert cli.main(arguments(data, out, "--force", "--set", "epochs=2")) == 0
    assert {path: path.read_bytes() for path in (folder / CHECKPOINTS).iterdir()} == before


def test_a_run_that_completed_has_nothing_to_resume(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = killed(data, tmp_path / "m.safetensors", signal.SIGKILL)
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"ending": ""', '"ending": "completed"'), "utf-8")
    resume = ["train", "--resume", str(folder), "--out", str(tmp_path / "n.safetensors"), "--quiet"]
    assert "was not interrupted: it completed its epochs" in refused(capsys, resume, 2)


def test_a_folder_that_cannot_be_made_is_said_and_the_training_goes_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.storage.run_writer._made", refuse)
    out = tmp_path / "m.safetensors"
    assert cli.main(arguments(data, out)) == 0
    assert "could not be made: the disk is full; training goes on" in capsys.readouterr().err
    assert load_model(out).history.epochs == 40.0
