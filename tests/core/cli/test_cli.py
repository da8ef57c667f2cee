import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import cli
from core.cli.arguments import UsageError, changed_settings, shown_value
from core.config import SECTIONS, ExperimentConfig
from core.data.dataset import Dataset
from core.saved_model import SavedModel
from core.storage.model_file import load_model, save_model
from core.training.loop import TrainingRun
from tests.core.cli.hands import SMALL, refused

ROOT = Path(__file__).parents[3]


def test_a_model_is_trained_and_says_how_it_came_to_be(data: Path, model: Path) -> None:
    saved = load_model(model)
    assert saved.history.epochs == 2.0
    assert saved.config.model.hidden == (8,)
    assert saved.config.data.source == str(data)
    command = saved.provenance["command"]
    assert command.startswith("main.py train --data")
    assert "--set epochs=2" in command
    assert saved.provenance["seed"] == "0"
    assert "training.epochs=2" in saved.provenance["recipe"]
    assert "model.hidden=8" in saved.provenance["recipe"]
    assert [path.name for path in model.parent.iterdir() if path.name.startswith(".")] == []


def test_the_recipe_gives_the_same_model_again(data: Path, model: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    recipe = load_model(model).provenance["recipe"].split()
    settings = [setting for setting in recipe if not setting.startswith(("data.source=", "model.image_"))]
    arguments = [part for setting in settings for part in ("--set", setting)]
    assert cli.main(["train", "--data", str(data), "--out", str(again), "--quiet", *arguments]) == 0
    for name, array in load_model(model).weights.items():
        np.testing.assert_array_equal(array, load_model(again).weights[name])


def test_a_model_is_trained_on_and_keeps_its_past(model: Path, tmp_path: Path) -> None:
    further = tmp_path / "further.safetensors"
    arguments = ["train", "--resume", str(model), "--out", str(further), "--set", "epochs=1", "--quiet"]
    assert cli.main(arguments) == 0
    before, after = load_model(model), load_model(further)
    assert after.history.epochs == 3.0
    assert after.history.num_steps == 3 * before.history.num_steps // 2
    assert after.provenance["earlier_commands"] == before.provenance["command"]
    assert "--resume" in after.provenance["command"]


def test_a_model_can_be_written_without_what_only_training_needs(data: Path, model: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    arguments = ["train", "--data", str(data), "--out", str(small), "--set", "epochs=2", "--without-optimiser", *SMALL]
    assert cli.main(arguments) == 0
    assert load_model(model).optimiser
    assert not load_model(small).optimiser
    for name, array in load_model(model).weights.items():
        np.testing.assert_array_equal(array, load_model(small).weights[name])
    assert (
        cli.main(["train", "--resume", str(small), "--out", str(tmp_path / "on"), "--set", "epochs=1", "--quiet"]) == 0
    )
    assert load_model(tmp_path / "on").history.epochs == 3.0


def test_nothing_is_overwritten_unless_told(data: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = model.read_bytes()
    arguments = ["train", "--data", str(data), "--out", str(model), "--set", "epochs=1", *SMALL]
    assert "--force" in refused(capsys, arguments, 2)
    assert model.read_bytes() == before
    assert cli.main([*arguments, "--force"]) == 0
    assert load_model(model).history.epochs == 1.0


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["train", "--data", "shapes"], 2, "--out"),
        (["train", "--out", "{out}"], 2, "--data is needed: mnist, shapes"),
        (["train", "--data", "nowhere", "--out", "{out}"], 1, "unknown data 'nowhere'"),
        (["train", "--data", "shapes", "--out", "{out}/x/y"], 2, "does not exist"),
        (["train", "--data", "shapes", "--out", "{folder}"], 2, "is a folder"),
        (["train", "--data", "shapes", "--out", "{out}", "--set", "latent_dim=0"], 2, "[1, 256], not 0"),
        (["train", "--data", "shapes", "--out", "{out}", "--set", "latent_dim=two"], 2, "a whole number"),
        (["train", "--data", "shapes", "--out", "{out}", "--set", "wings=2"], 2, "unknown setting 'wings'"),
        (["train", "--data", "shapes", "--out", "{out}", "--set", "wings"], 2, "key=value"),
        (["train", "--data", "shapes", "--out", "{out}", "--set", "data.source=mnist"], 2, "--data names it"),
        (["train", "--resume", "{out}", "--out", "{out}"], 1, "No such file"),
        (["evaluate", "{out}"], 1, "No such file"),
        (["evaluate", "{text}"], 1, "not a safetensors file"),
        (["evaluate", "{out}", "--json", "{folder}"], 2, "--json must name a file"),
        (["evaluate", "{out}", "--seed", "-1"], 2, "--seed must be 0 or more"),
        (["evaluate", "{out}", "--seed", "x"], 2, "invalid int"),
        (["evaluate", "{out}", "--samples", "0"], 2, "--samples must be 1 or more"),
        (["evaluate", "{out}", "--log-px-images", "-1"], 2, "--log-px-images must be 0 or more"),
        (["evaluate", "{out}", "--gap-images", "-1"], 2, "--gap-images must be 0 or more"),
        (["evaluate", "{out}", "--json", "{out}"], 1, "No such file"),
        (["train", "--data", "shapes", "--out", "{out}", "--set", "epochs=" + "9" * 400], 2, "epochs must lie in"),
        (["train", "--data", "shapes", "--out", "{out}", "--set", "hidden=-5"], 2, "[1, 8,192], not -5"),
        (["train", "--data", "~nobody-of-this-name", "--out", "{out}"], 1, "unknown data"),
        (["train", "--data", "shapes", "--out", "/proc/model"], 2, "cannot be written to"),
        (["paint"], 2, "invalid choice"),
    ],
)
def test_bad_arguments_are_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, said: str
) -> None:
    (tmp_path / "text").write_text("this is a text, not a model")
    places = {"out": tmp_path / "out", "folder": tmp_path, "text": tmp_path / "text"}
    assert said in refused(capsys, [argument.format(**places) for argument in arguments], status)
    assert not (tmp_path / "out").exists()


def test_help_lists_every_setting_with_its_default_and_range(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for section, declares in SECTIONS.items():
        for declared in declares.settings():
            shown = f"{declared.name} = " in text
            assert shown == (declared.name not in {"source", "image_height", "image_width", "num_levels"}), (
                f"{section}.{declared.name}"
            )
    assert "latent_dim = 2 Number of latent variables" in text
    assert "[1, 256]" in text
    assert "one of dynamic, fixed, threshold, none" in text


def test_settings_are_applied_in_their_order() -> None:
    config = changed_settings(ExperimentConfig(), ["hidden=5,4", " latent_dim = 3 ", "training.epochs=7", "epochs=8"])
    assert (config.model.hidden, config.model.latent_dim, config.training.epochs) == ((5, 4), 3, 8)
    with pytest.raises(UsageError, match="image_height"):
        changed_settings(ExperimentConfig(), ["image_height=5"])


def test_a_full_disk_at_an_epoch_s_end_does_not_end_the_training(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, calls = os.fsync, iter(range(100))

    def full_once(descriptor: int) -> None:
        if next(calls) == 0:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full_once)
    out = tmp_path / "m"
    assert cli.main(["train", "--data", str(data), "--out", str(out), "--set", "epochs=2", *SMALL]) == 0
    assert "disk is full; training goes on" in capsys.readouterr().err
    assert load_model(out).history.epochs == 2.0


@pytest.mark.parametrize(("kind", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_training_with_what_there_is(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: signal.Signals, status: int
) -> None:
    out = tmp_path / "m"

    def save_and_signal(path: Path, saved: SavedModel) -> None:
        save_model(path, saved)
        if not sent:
            sent.append(kind)
            signal.raise_signal(kind)

    sent: list[signal.Signals] = []
    monkeypatch.setattr("core.cli.train.save_model", save_and_signal)
    assert threading.current_thread() is threading.main_thread()
    arguments = ["train", "--data", str(data), "--out", str(out), "--set", "epochs=50000", *SMALL]
    assert cli.main(arguments) == status
    assert 1.0 <= load_model(out).history.epochs < 50.0


@pytest.mark.parametrize("phase", ["load_model", "load_dataset"])
def test_ctrl_c_before_the_training_writes_nothing(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], phase: str
) -> None:
    monkeypatch.setattr(f"core.cli.train.{phase}", lambda *_: signal.raise_signal(signal.SIGINT))
    arguments = ["train", "--resume", str(model), "--out", str(tmp_path / "out"), "--quiet"]
    assert "interrupted" in refused(capsys, arguments, 130)
    assert not (tmp_path / "out").exists()


def test_ctrl_c_before_the_first_step_leaves_the_file_that_would_be_overwritten(
    data: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = model.read_bytes()

    class Signalled(TrainingRun):
        def __init__(self, config: ExperimentConfig, dataset: Dataset, **others: Any) -> None:
            signal.raise_signal(signal.SIGINT)
            super().__init__(config, dataset, **others)

    monkeypatch.setattr("core.training.loop.TrainingRun", Signalled)
    assert cli.main(["train", "--data", str(data), "--out", str(model), "--force", *SMALL]) == 130
    assert model.read_bytes() == before


def test_ctrl_c_while_images_are_read_for_their_mean_does_not_wait_for_the_last(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = 0

    def read_for_ever(_images: object, progress: Callable[[float, str], None]) -> None:
        nonlocal told
        while told < 100:
            told += 1
            if told == 3:
                signal.raise_signal(signal.SIGINT)
            progress(0.1, "reading")

    monkeypatch.setattr("core.training.resident.ResidentImages.mean_picture", read_for_ever)
    out = tmp_path / "m"
    assert cli.main(["train", "--data", str(data), "--out", str(out), *SMALL]) == 130
    assert told == 3
    assert list(tmp_path.glob("m*")) == []


def test_a_recipe_keeps_all_digits() -> None:
    for value in (0.001, 1.0, 0.1234567890123456, 1e-30, 0.1 + 0.2):
        assert float(shown_value(value)) == value
    assert shown_value(1.0) == "1"


def test_the_program_trains_and_evaluates_without_qt_and_evaluates_without_torch(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "Модель \U0001f600"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    program = (
        "import sys, main\n"
        "status = main.main(sys.argv[2:])\n"
        "sys.exit(status or sorted(set(sys.argv[1].split(',')) & set(sys.modules)) or 0)\n"
    )
    for forbidden, arguments in (
        ("PySide6", ["train", "--data", str(data), "--out", str(out), "--set", "epochs=1", *SMALL[:-1]]),
        ("PySide6", ["evaluate", str(out)]),
        # log p(x) is integrated by torch; all else of a fully connected model needs none.
        ("PySide6,torch", ["evaluate", str(out), "--log-px-images", "0", "--gap-images", "0"]),
    ):
        ended = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-c", program, forbidden, *arguments],
            cwd=tmp_path,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        assert "held-out ELBO" in ended.stdout or "likelihood_normalised" in ended.stdout
