import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import cli
from core.cli.evaluate import summary
from core.data.dataset import Dataset
from core.data.sources import load_dataset
from core.inference.evaluation import Evaluation
from core.snapshots import ElboMeans
from core.storage.model_file import load_model, save_model
from tests.core.cli.hands import SMALL, refused
from tests.core.tiny_models import saved_model, tiny_config


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
    assert "no other figure" in refused(capsys, ["evaluate", str(out), "--log-px-images", "0", "--quiet"], 2)


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


def test_data_of_another_size_isrefused(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys, ["evaluate", str(model), "--data", "shapes", "--quiet"], 1)
    assert "8×8" in message
    assert "28×28" in message
    message = refused(
        capsys, ["train", "--resume", str(model), "--data", "shapes", "--out", str(model), "--force", "--quiet"], 1
    )
    assert "8×8" in message
    assert load_model(model).history.epochs == 2.0


def test_an_evaluation_does_not_overwrite_the_model(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = model.read_bytes()
    link = tmp_path / "link"
    link.symlink_to(model)
    for target in (model, link):
        assert "overwrite the model" in refused(capsys, ["evaluate", str(model), "--json", str(target)], 2)
    assert model.read_bytes() == before


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
    assert "/nowhere/at all" in refused(capsys, ["evaluate", str(tmp_path / "orphan"), "--quiet"], 1)
    assert cli.main(["evaluate", str(tmp_path / "orphan"), "--data", str(data), "--quiet"]) == 0
