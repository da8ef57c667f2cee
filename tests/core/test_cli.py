import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import cli
from core.cli.arguments import UsageError, changed_settings, shown_value
from core.cli.evaluate import summary
from core.config import SECTIONS, ExperimentConfig
from core.data.dataset import Dataset
from core.data.sources import load_dataset
from core.inference.evaluation import Evaluation
from core.saved_model import SavedModel
from core.snapshots import ElboMeans
from core.storage.model_file import load_model, save_model
from core.training.loop import TrainingRun
from tests.core.tiny_models import saved_model, tiny_config

ROOT = Path(__file__).parents[2]
SMALL = ["--set", "hidden=8", "--set", "batch_size=10", "--set", "threads=1", "--set", "image_size=8", "--quiet"]


@pytest.fixture(autouse=True)
def _signals_are_put_back() -> Iterator[None]:
    before = [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert before == [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a file of 60 light rectangles on black, 8×8."""
    generator = np.random.default_rng(0)
    images = np.zeros((60, 8, 8), np.uint8)
    for image in images:
        top, left = generator.integers(1, 4, 2)
        image[top : top + 3, left : left + 4] = 255
    path = tmp_path / "rectangles.npz"
    np.savez(path, images=images)
    return path


@pytest.fixture
def model(data: Path, tmp_path: Path) -> Path:
    """Return the file of a model trained for two epochs on `data`."""
    out = tmp_path / "model.safetensors"
    assert cli.main(["train", "--data", str(data), "--out", str(out), "--set", "epochs=2", *SMALL]) == 0
    return out


def _refused(capsys: pytest.CaptureFixture[str], arguments: list[str], status: int) -> str:
    assert cli.main(arguments) == status
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message


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


def test_a_model_is_evaluated(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", str(model), "--json", "-", "--quiet", "--seed", "4"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["elbo"] == pytest.approx(-(result["nll"] + result["kl"]))
    assert result["kl"] == pytest.approx(sum(result["kl_per_dimension"]))
    assert result["bits_per_dim"] == pytest.approx(-result["elbo"] / (64 * np.log(2.0)))
    assert result["num_images"] == 6
    assert result["binarisation"] == "dynamic"
    assert result["seed"] == 4
    assert result["likelihood_normalised"] is True
    assert result["epochs"] == 2.0
    target = tmp_path / "result.json"
    assert cli.main(["evaluate", str(model), "--json", str(target), "--quiet", "--seed", "4"]) == 0
    assert json.loads(target.read_text()) == result


def test_log_px_and_the_codes_information_are_written_for_two_dimensions(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", str(model), "--quiet"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["log_px"] >= result["elbo"]
    assert 0.0 <= result["log_px_error_bar"] <= 2e-3
    assert (result["log_px_images"], result["log_px_method"]) == (6, "exact (quadrature)")
    assert result["log_px_standard_error"] > 0.0
    assert (result["log_px_estimate"], result["log_px_num_samples"]) == (None, None)
    assert "exact" in result["log_px_estimate_reason"]
    gaps = result["approximation_gap"] + result["amortisation_gap"]
    assert gaps == pytest.approx(result["log_px"] - result["elbo"], abs=0.02)
    assert result["amortisation_gap"] >= 0.0
    assert result["approximation_gap"] >= -2e-3
    assert result["approximation_gap_standard_error"] >= 0.0
    assert result["gap_images"] == 6
    assert "exact log p(x)" in result["gap_method"]
    assert result["mutual_information"] + result["marginal_kl"] == pytest.approx(result["kl"], abs=1e-4)
    assert result["mutual_information_cap"] == pytest.approx(np.log(6))
    assert -1e-3 <= result["mutual_information"] <= result["mutual_information_cap"] + 1e-3
    assert result["active_units"] in {0, 1, 2}
    assert "quadrature of 36 codes" in result["elbo_method"]
    assert cli.main(["evaluate", str(model), "--quiet", "--log-px-images", "3", "--gap-images", "2"]) == 0
    fewer = json.loads(capsys.readouterr().out)
    assert (fewer["log_px_images"], fewer["gap_images"]) == (3, 2)
    assert cli.main(["evaluate", str(model), "--quiet", "--log-px-images", "0", "--gap-images", "0"]) == 0
    without = json.loads(capsys.readouterr().out)
    assert without["log_px"] is None
    assert "left out" in without["log_px_reason"]
    assert "left out" in without["approximation_gap_reason"]
    assert without["elbo"] == result["elbo"]


def test_more_dimensions_get_an_estimate_with_its_standard_error(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m"
    settings = ["--set", "latent_dim=4", "--set", "epochs=1", "--set", "model=iwae", *SMALL]
    assert cli.main(["train", "--data", str(data), "--out", str(out), *settings]) == 0
    assert cli.main(["evaluate", str(out), "--quiet", "--samples", "50"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["log_px"] is None
    assert "estimated" in result["log_px_reason"]
    assert result["log_px_estimate"] > result["elbo"]
    assert result["log_px_standard_error"] > 0.0
    assert (result["log_px_num_samples"], result["log_px_method"]) == (50, "IWAE-50 estimate")
    assert 1.0 <= result["log_px_effective_samples"] <= 50.0
    assert result["log_px_error_bar"] is None
    assert result["approximation_gap"] is None
    assert "--gap-images" in result["approximation_gap_reason"]
    assert "one sample" in result["elbo_method"]
    assert "samples" in result["surgery_method"]
    assert result["mutual_information"] + result["marginal_kl"] == pytest.approx(result["kl"], abs=1e-4)


def test_an_autoregressive_model_has_its_exact_log_px_and_reasons(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m"
    arguments = ["train", "--data", str(data), "--out", str(out), "--set", "model=made", "--set", "epochs=1", *SMALL]
    assert cli.main(arguments) == 0
    assert cli.main(["evaluate", str(out), "--quiet"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["log_px"] == pytest.approx(-result["nll"])
    assert result["log_px_method"] == "exact (product)"
    assert result["bits_per_dim"] == pytest.approx(result["nll"] / (64 * np.log(2.0)))
    last = load_model(out).history.held_out[-1]
    assert last.means.nll == pytest.approx(result["nll"], rel=1e-5)
    undefined = ("elbo", "kl", "mutual_information", "marginal_kl", "active_units", "amortisation_gap")
    for key in (*undefined, "mutual_information_cap"):
        assert result[key] is None
        assert "no codes" in result[f"{key}_reason"]
    assert "no other figure" in _refused(capsys, ["evaluate", str(out), "--log-px-images", "0", "--quiet"], 2)


def test_the_held_out_means_agree_with_those_of_the_training(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["evaluate", str(model), "--quiet"])
    result = json.loads(capsys.readouterr().out)
    last = load_model(model).history.held_out[-1]
    assert last.complete
    assert last.num_images == result["num_images"]
    assert last.means.kl == pytest.approx(result["kl"], rel=1e-4)
    assert last.means.nll == pytest.approx(result["nll"], abs=4.0 * result["standard_error"])


def test_what_an_autoencoder_does_not_define_is_null_with_the_reason(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a"
    settings = ["--set", "model=autoencoder", "--set", "binarisation=none", "--set", "epochs=1", *SMALL]
    assert cli.main(["train", "--data", str(data), "--out", str(out), *settings]) == 0
    assert cli.main(["evaluate", str(out), "--quiet"]) == 0
    result = json.loads(capsys.readouterr().out)
    undefined = ("elbo", "kl", "bits_per_dim", "log_px", "log_px_error_bar", "log_px_estimate", "mutual_information")
    for key in (*undefined, "mutual_information_cap", "marginal_kl", "approximation_gap", "amortisation_gap"):
        assert result[key] is None
        assert result[f"{key}_reason"]
    assert "defines no p(x)" in result["elbo_reason"]
    assert "defines no p(x)" in result["log_px_reason"]
    assert result["active_units"] in {0, 1, 2}
    assert result["nll"] > 0.0
    assert result["likelihood_normalised"] is False
    assert "grey" in result["likelihood_reason"]


def test_other_data_is_imported_with_the_choices_of_the_model(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m"
    assert (
        cli.main(["train", "--data", str(data), "--out", str(out), "--set", "epochs=1", "--set", "invert=yes", *SMALL])
        == 0
    )
    images = np.load(data)["images"]
    np.save(tmp_path / "same.npy", images)
    np.save(tmp_path / "large.npy", np.kron(images, np.ones((3, 3), np.uint8)))
    results = []
    for more in ([], ["--data", str(tmp_path / "same.npy")], ["--data", str(tmp_path / "large.npy")]):
        assert cli.main(["evaluate", str(out), "--quiet", *more]) == 0
        results.append(json.loads(capsys.readouterr().out))
    own, same, large = results
    assert {**same, "data": own["data"]} == own
    # Black on white, as it was trained on: were the choices forgotten, the cost would be several times that.
    assert large["nll"] == pytest.approx(own["nll"], rel=0.5)


def test_data_of_another_size_is_refused(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = _refused(capsys, ["evaluate", str(model), "--data", "shapes", "--quiet"], 1)
    assert "8×8" in message
    assert "28×28" in message
    message = _refused(
        capsys, ["train", "--resume", str(model), "--data", "shapes", "--out", str(model), "--force", "--quiet"], 1
    )
    assert "8×8" in message
    assert load_model(model).history.epochs == 2.0


def test_nothing_is_overwritten_unless_told(data: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = model.read_bytes()
    arguments = ["train", "--data", str(data), "--out", str(model), "--set", "epochs=1", *SMALL]
    assert "--force" in _refused(capsys, arguments, 2)
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
    assert said in _refused(capsys, [argument.format(**places) for argument in arguments], status)
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


@pytest.mark.parametrize(("kind", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
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
    assert "interrupted" in _refused(capsys, arguments, 130)
    assert not (tmp_path / "out").exists()


def test_ctrl_c_before_the_first_step_leaves_the_file_that_would_be_overwritten(
    data: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = model.read_bytes()

    class Signalled(TrainingRun):
        def __init__(self, config: ExperimentConfig, dataset: Dataset, *, start: SavedModel | None = None) -> None:
            signal.raise_signal(signal.SIGINT)
            super().__init__(config, dataset, start=start)

    monkeypatch.setattr("core.training.loop.TrainingRun", Signalled)
    assert cli.main(["train", "--data", str(data), "--out", str(model), "--force", *SMALL]) == 130
    assert model.read_bytes() == before


def test_an_evaluation_does_not_overwrite_the_model(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = model.read_bytes()
    link = tmp_path / "link"
    link.symlink_to(model)
    for target in (model, link):
        assert "overwrite the model" in _refused(capsys, ["evaluate", str(model), "--json", str(target)], 2)
    assert model.read_bytes() == before


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


def test_numbers_that_are_not_finite_are_null_with_the_reason(data: Path) -> None:
    saved = saved_model(tiny_config())
    dataset: Dataset = load_dataset(replace(saved.config.data, source=str(data)))
    means = ElboMeans(float("inf"), 2.0, (1.0, float("nan")))
    evaluation = Evaluation(means, 6, "dynamic", 0, None, num_nodes=1, likelihood_normalised=True)
    result = summary(saved, dataset, evaluation, "m\udcff")
    json.dumps(result, allow_nan=False)
    assert result["nll"] is None
    assert "not finite" in str(result["nll_reason"])
    assert "single image" in str(result["standard_error_reason"])


def test_a_model_whose_data_is_gone_can_be_evaluated_on_other_data(
    data: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = load_model(model)
    gone = replace(saved.config, data=replace(saved.config.data, source="/nowhere/at all"))
    save_model(tmp_path / "orphan", replace(saved, config=gone))
    assert "/nowhere/at all" in _refused(capsys, ["evaluate", str(tmp_path / "orphan"), "--quiet"], 1)
    assert cli.main(["evaluate", str(tmp_path / "orphan"), "--data", str(data), "--quiet"]) == 0
