"""What the program does about the kind of a model: binarisation, corrupted input, active units, refusals."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.data.corruption import Corruptor
from core.inference.coders import make_coder
from explorer.views.editors import ChoiceEditor
from tests.open_program import LONG, OpenProgram, decoded_by_torch, model_file, trained

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]

DENOISING: dict[str, object] = {"model.model": "denoising_autoencoder", "corruption_level": 0.4}
SPARSE: dict[str, object] = {"model.model": "sparse_autoencoder", "latent_dim": 6, "sparsity_target": 0.1}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file()).opened()
    yield program
    program.leave()


@pytest.fixture
def denoising(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file(**DENOISING)).opened()
    yield program
    program.leave()


@pytest.fixture
def sparse(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file(**SPARSE)).opened()
    yield program
    program.leave()


def choose(opened: OpenProgram, name: str, label: str) -> None:
    """Choose an entry of a setting's combo box with the keyboard."""
    forms = (opened.views.data._form, opened.views.model.form, *opened.views.training.forms)
    editor = next(form.editor(name) for form in forms if name in form.values())
    assert isinstance(editor, ChoiceEditor)
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_Home)
    while editor.currentText() != label:
        before = editor.currentIndex()
        QTest.keyClick(editor, Qt.Key.Key_Down)
        assert editor.currentIndex() != before, f"{label} is not offered"


def binarisation(opened: OpenProgram) -> str:
    """Return how the open data are seen."""
    dataset = opened.session.documents.dataset
    assert dataset is not None
    return dataset.config.binarisation


def train(opened: OpenProgram, epochs: int = 1) -> None:
    opened.set_field("epochs", str(epochs))
    opened.press(Qt.Key.Key_F5)
    opened.until("the run", lambda: opened.session.training.active)
    opened.until("its end", lambda: not opened.session.training.active)


def test_a_likelihood_of_greys_takes_the_binarisation_away_and_says_so(opened: OpenProgram) -> None:
    choose(opened, "likelihood", "Gaussian")
    assert opened.session.config.data.binarisation == "none"
    assert "Binarisation is set to none: a Gaussian likelihood describes grey pixels." in opened.note
    assert opened.views.data._form.values()["binarisation"] == "none"
    # The open model goes on seeing what it was made for.
    assert binarisation(opened) == "dynamic"
    choose(opened, "likelihood", "Bernoulli")
    assert opened.session.config.data.binarisation == "dynamic"
    assert "dynamic" in opened.note
    assert not opened.error


@pytest.mark.parametrize("label", ["Categorical", "Gaussian", "Continuous Bernoulli"])
def test_a_model_of_greys_is_trained_from_the_window_and_sees_greys(opened: OpenProgram, label: str) -> None:
    choose(opened, "likelihood", label)
    train(opened)
    opened.until("its codes", opened.is_ready)
    saved = opened.session.documents.saved
    assert saved is not None
    assert saved.config.data.binarisation == binarisation(opened) == "none"
    levels = saved.config.model.grey_levels if label == "Categorical" else 256
    assert saved.config.data.num_levels == levels
    steps = levels - 1
    seen = opened.seen(0)
    np.testing.assert_allclose(seen, np.rint(seen * steps) / steps, atol=1e-6)
    opened.raise_dock(opened.views.draw_pad)
    opened.draw((60, 60), (200, 200))
    opened.until("an encoding", lambda: opened.views.draw_pad.results.encoding is not None)
    said = opened.views.draw_pad.results.status.text()
    assert ("density" in said) == (label != "Categorical")
    assert ("density" in opened.views.curves.unit_note) == (label != "Categorical")
    drawn = opened.session.drawing.seen
    assert drawn is not None
    assert len(np.unique(drawn)) <= levels
    assert not opened.error


def test_a_model_that_is_opened_sees_its_own_binarisation_again(opened: OpenProgram) -> None:
    choose(opened, "likelihood", "Gaussian")
    train(opened)
    assert binarisation(opened) == "none"
    opened.session.open_paths((model_file(),))
    opened.until("the other model", lambda: binarisation(opened) == "dynamic")
    opened.until("its codes", opened.is_ready)
    assert opened.session.config.data.binarisation == "dynamic"
    assert set(np.unique(opened.seen(0))) <= {0.0, 1.0}


def test_greys_stay_greys_for_a_model_that_describes_nothing_else(opened: OpenProgram) -> None:
    choose(opened, "likelihood", "Gaussian")
    train(opened)
    choose(opened, "binarisation", "threshold at ½")
    assert opened.session.config.data.binarisation == "threshold"
    assert binarisation(opened) == "none"
    opened.press(Qt.Key.Key_F5)
    opened.until("the reason", lambda: bool(opened.error))
    assert "binarisation must be none, not threshold" in opened.error
    assert not opened.session.training.active


def test_what_cannot_be_trained_together_is_said_at_the_start(opened: OpenProgram) -> None:
    choose(opened, "posterior", "Full covariance")
    opened.set_field("latent_dim", "100")
    opened.press(Qt.Key.Key_F5)
    opened.until("the reason", lambda: bool(opened.error))
    assert "a full covariance of 100 dimensions" in opened.error
    assert not opened.session.training.active


def test_an_importance_weighted_model_takes_the_weight_of_the_kl_away_and_says_so(opened: OpenProgram) -> None:
    opened.set_field("beta", "4")
    choose(opened, "model", "IWAE")
    assert opened.session.config.objective.beta == 1.0
    assert "no KL to weigh" in opened.note
    opened.set_field("num_samples", "3")
    train(opened)
    opened.until("its codes", opened.is_ready)
    saved = opened.session.documents.saved
    assert saved is not None
    assert (saved.config.model.model, saved.config.objective.num_samples) == ("iwae", 3)
    help_text = opened.views.curves.controls.quantity_button("elbo").toolTip()
    assert "bound that lies above it" in help_text
    assert not opened.error


def test_a_full_covariance_is_trained_from_the_form(opened: OpenProgram) -> None:
    choose(opened, "posterior", "Full covariance")
    train(opened)
    opened.until("its codes", opened.is_ready)
    opened.drag_handle_to(0.4, 0.3)
    assert "full" in opened.views.model._summary.text()
    assert not opened.error


def test_a_denoising_autoencoder_shows_the_corrupted_image_beside_the_clean_one(denoising: OpenProgram) -> None:
    opened = denoising
    opened.session.latent.select_image(5)
    panel = opened.views.hand
    opened.until("the corrupted image", lambda: panel.corrupted.picture is not None)
    assert panel.corrupted.isVisible()
    seen = opened.seen(5)
    corrupted = Corruptor("gaussian", 0.4).corrupted(seen, 5)
    expected = np.rint(np.clip(corrupted, 0.0, 1.0) * 255)
    np.testing.assert_array_equal(panel.corrupted.picture.ravel(), expected)  # type: ignore[union-attr]
    saved = trained(**DENOISING)
    code = make_coder(saved.config.model, saved.as_weights(1)).encode(corrupted[None]).mean[0]
    restored = panel.restored.picture
    assert restored is not None
    assert np.abs(restored.astype(int) - decoded_by_torch(saved, code).astype(int)).max() <= 1
    opened.drag_handle_to(0.0, 0.0)
    assert panel.source.picture is not None


def test_a_drawing_is_encoded_from_its_corrupted_copy(denoising: OpenProgram) -> None:
    opened = denoising
    opened.raise_dock(opened.views.draw_pad)
    opened.draw((60, 60), (200, 200))
    results = opened.views.draw_pad.results
    opened.until("an encoding", lambda: results.encoding is not None)
    encoding, seen = results.encoding, opened.session.drawing.seen
    assert encoding is not None
    assert seen is not None
    assert results.corrupted.isVisible()
    assert results.corrupted.picture is encoding.corrupted is not None
    saved = trained(**DENOISING)
    coder = make_coder(saved.config.model, saved.as_weights(1))
    corrupted = Corruptor("gaussian", 0.4).corrupted(seen, 0)
    code = coder.encode(corrupted[None]).mean
    np.testing.assert_allclose(encoding.mean, code[0], atol=1e-5)
    assert encoding.nll == pytest.approx(float(coder.nll(seen[None], code)[0]), rel=1e-5)
    assert "A denoising autoencoder defines no p(x)" in results.status.text()
    # Another model has no such picture.
    opened.session.open_paths((model_file(),))
    opened.until("the other model", lambda: not results.corrupted.isVisible())


def test_the_mean_activation_of_every_unit_stands_against_its_target(sparse: OpenProgram) -> None:
    opened = sparse
    bars = opened.views.model.activations
    opened.until("activations", lambda: bars.activations is not None)
    shown, codes = bars.activations, opened.session.latent.codes
    assert shown is not None
    assert codes is not None
    saved = trained(**SPARSE)
    assert shown.target == saved.config.objective.sparsity_target == 0.1
    np.testing.assert_allclose(shown.means, codes.mean.mean(axis=0), atol=1e-6)
    assert bars.isVisible()
    # A bar as high as the target ends at its line.
    heights = [bars.bar_rect(unit).height() for unit in range(6)]
    line = bars.target_y()
    assert line is not None
    ratio = heights[0] / (bars.bar_rect(0).bottom() - line)
    assert ratio == pytest.approx(float(shown.means[0]) / 0.1, rel=1e-6)
    opened.session.open_paths((model_file(),))
    opened.until("no bars", lambda: not bars.isVisible())


def test_activations_follow_the_training(sparse: OpenProgram) -> None:
    opened = sparse
    bars = opened.views.model.activations
    opened.until("activations", lambda: bars.activations is not None)
    opened.set_field("epochs", str(LONG))
    opened.press(Qt.Key.Key_F5)
    opened.until("the run", lambda: opened.session.training.active)
    opened.until("the first of the run", lambda: bars.activations is not None)
    first = bars.activations
    assert first is not None
    opened.until(
        "newer ones", lambda: bars.activations is not None and bars.activations.version > first.version, timeout_s=30.0
    )
    opened.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    opened.until("its end", lambda: not opened.session.training.active)
