"""What is said above the canvas when the open model and the open data were not made for each other."""

from dataclasses import dataclass

from core.config import ModelConfig
from core.data.dataset import Dataset
from core.saved_model import SavedModel


@dataclass(frozen=True, slots=True)
class FitNote:
    """A sentence, and the command that its button gives."""

    text: str
    action_text: str
    command: str


def note_on_fit(dataset: Dataset, model: ModelConfig | None, saved: SavedModel | None, name: str) -> FitNote | None:
    """Return what is to be said of a model called `name` beside these data; None where all is well."""
    if model is not None and (dataset.height, dataset.width) != (model.image_height, model.image_width):
        return FitNote(
            f"The open model was made for pictures of {model.image_height}×{model.image_width} pixels; "
            f"{dataset.name} has {dataset.height}×{dataset.width}.",
            "Train a new one on this",
            "model.start",
        )
    if saved is not None and _is_foreign(dataset, saved):
        trained_on = saved.provenance["data"]
        return FitNote(
            f"{name} was trained on {trained_on}; the points are images of {dataset.name}.",
            "Open its own data",
            "data.open_own",
        )
    return None


def _is_foreign(dataset: Dataset, saved: SavedModel) -> bool:
    """Return whether a model is known to have been trained on other images than these."""
    trained_on = saved.provenance.get("data_fingerprint", "")
    # While only a part of the data is there its fingerprint is not known yet.
    known = bool(trained_on) and bool(dataset.fingerprint) and "data" in saved.provenance
    return known and trained_on != dataset.fingerprint
