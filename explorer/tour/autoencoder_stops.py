"""Stops of the tour at autoencoders that learn with a handicap: a corrupted input, or a price on active units."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.shapes import Picture
from explorer.program import Program
from explorer.tour.driver import Driver, TourError, line
from explorer.tour.hands import Hands
from explorer.tour.lecture_stops import SEVEN

_IMAGE = 4
_UNITS = 16


class AutoencoderStops(Hands):
    """Trains each kind for one epoch, twice, and looks at what the window adds for it."""

    def __init__(self, program: Program, driver: Driver) -> None:
        super().__init__(program, driver)
        self._before: Path | None = None

    @property
    def stops(self) -> tuple[Callable[[], None], ...]:
        """What the tour makes, with the model open again at the end that was open at the start."""
        return self._denoising_autoencoder, self._sparse_autoencoder

    def _denoising_autoencoder(self) -> None:
        """Corrupt the input by noise, then by dropped pixels, and look at the repair."""
        self._before = self._program.settings.last_document
        # Two dimensions, which the map shows whole, repair little, and of two units none can rest.
        self._enter("latent_dim", str(_UNITS))
        repairs = {
            "gaussian": self._repair("Gaussian", "0.5", "denoising, gaussian noise"),
            "dropout": self._repair("dropped", "0.5", "denoising, dropped pixels"),
        }
        self.measured["denoising"] = repairs

    def _sparse_autoencoder(self) -> None:
        """Draw the mean activations to ρ by the KL, then down by L1, and look at every unit."""
        self.measured["sparse"] = {
            "kl": self._activations("KL", "30", "sparse, KL to rho"),
            "l1": self._activations("L1", "1", "sparse, L1"),
        }
        saved = self._program.session.documents.saved
        if saved is not None:
            self._open_again(self._before, saved)

    def _repair(self, corruption: str, level: str, title: str) -> dict[str, float]:
        """Return the mean squared error of the corrupted image and of its repair, a pixel from 0 to 1."""
        self._choose("model", "Denoising")
        self._choose("corruption", corruption)
        self._enter("corruption_level", level)
        self._trained("Denoising", "denoising_autoencoder")
        hand, pad = self._program.views.hand, self._program.views.draw_pad
        self._raise_dock(hand)
        self._program.session.latent.select_image(_IMAGE)
        self._driver.wait_for("the corrupted image", lambda: hand.corrupted.picture is not None)
        self._driver.wait(200)
        self._driver.picture(title)
        clean, corrupted = _shown(hand.source.picture), _shown(hand.corrupted.picture)
        restored = _shown(hand.restored.picture)
        if np.array_equal(clean, corrupted):
            raise TourError("the corrupted image is the clean one")
        self._raise_dock(pad)
        pad.clear()
        corners = [pad.surface.widget_from_ink(x, y) for x, y in SEVEN]
        self._driver.drag(pad.surface, [*line(corners[0], corners[1], 12), *line(corners[1], corners[2], 12)[1:]])
        self._driver.wait_for("the corrupted drawing", lambda: pad.results.corrupted.picture is not None)
        self._driver.wait(200)
        self._driver.picture(f"{title}, drawn")
        return {"corrupted_mse": _squared_error(corrupted, clean), "restored_mse": _squared_error(restored, clean)}

    def _activations(self, sparsity: str, weight: str, title: str) -> dict[str, float]:
        """Return the mean activation over all units, or the mean |h|, and the target where there is one."""
        self._choose("model", "Sparse")
        self._choose("sparsity", sparsity)
        self._enter("sparsity_weight", weight)
        self._trained("Sparse", "sparse_autoencoder")
        bars = self._program.views.model.activations
        self._raise_dock(self._program.views.hand)
        self._program.session.latent.select_image(_IMAGE)
        self._driver.wait_for("the mean activations", lambda: bars.activations is not None)
        self._bring_into_view(bars)
        self._driver.wait(400)
        self._driver.picture(title)
        shown = bars.activations
        if shown is None or len(shown.means) != _UNITS:
            raise TourError("the mean activations are not those of the model's units")
        figures = {"mean_activation": round(float(shown.means.mean()), 4)}
        return figures if shown.target is None else figures | {"target": shown.target}

    def _trained(self, label: str, name: str) -> None:
        """Train a model for one epoch, and see the codes of all images on the map."""
        self._train_for_an_epoch(label, name)
        latent = self._program.session.latent
        self._driver.wait_for("its codes", lambda: latent.codes is not None and len(latent.codes) == latent.num_images)
        self._program.window.commands.trigger("view.fit")


def _shown(picture: Picture | None) -> Picture:
    """Return a picture that has to be there.  Raises TourError."""
    if picture is None:
        raise TourError("a picture of the repair is missing")
    return picture


def _squared_error(picture: Picture, clean: Picture) -> float:
    """Return the mean squared error of pixels from 0 to 1."""
    difference = (picture.astype(np.float64) - clean.astype(np.float64)) / 255.0
    return round(float((difference**2).mean()), 5)
