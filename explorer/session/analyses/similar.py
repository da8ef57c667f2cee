"""Similar input, similar code: clouds of codes under noise, and nearest neighbours."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTimer

from core.compatibility import data_for
from core.config import DataConfig, ExperimentConfig
from core.data.binarisation import seen_by_model
from core.data.dataset import Dataset
from core.data.seen import SeenImages
from core.findings.clouds import Cloud, MapCodes, NoisyExamples
from core.findings.neighbours import NearestImages, Neighbours
from core.shapes import Picture
from core.snapshots import Codes, Split, frozen
from explorer.messages import Failed, LoadedModel, Subject, SubjectSource, picture_of
from explorer.session.analyses.hub import AnalysisHub
from explorer.session.analyses.in_turn import InTurn
from explorer.session.analyses.shelf import ModelShelf, refusal, titled
from explorer.session.autosaves import name_of
from explorer.session.reading import missing_picture
from explorer.views.similar import CLOUD_COLOUR, MOST_BESIDE, NeighbourPictures, SimilarPanel
from explorer.workers.analysis import Found, OpenModel
from explorer.workers.similar import CloudAnalysis, MapAnalysis, MapModel, NeighboursAnalysis, NoiseChoice

PURPOSE = "similar"
MAP_CODES = 2_000
"""Codes on each small map."""
_NEIGHBOURS_MS = 120


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the image under the hand beside its pixels."""

    image: int | None
    label: int | None


class SimilarSession(QObject):
    """While the panel can be seen, keeps cloud and neighbours of the image under the hand in it."""

    def __init__(
        self,
        panel: SimilarPanel,
        shelf: ModelShelf,
        hub: AnalysisHub,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panel = panel
        self._open_name = hub.name
        self._shelf = shelf
        self._hub = hub
        self._beside: list[tuple[str, MapModel]] = []
        self._seed = 0
        self._seen: tuple[Split, SeenImages] | None = None
        self._points_shown = False
        self._clouds = InTurn(hub.analysis, self)
        self._maps = InTurn(hub.analysis, self)
        self._neighbours = InTurn(hub.analysis, self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_NEIGHBOURS_MS)
        self._timer.timeout.connect(self._ask_neighbours)
        self._connect()
        self._show_reason("No model is open yet.")
        if hub.config is not None:
            self._on_model_opened(hub.config)
            self._on_sight(self._panel.in_sight)

    def _connect(self) -> None:
        panel, hub = self._panel, self._hub
        panel.noise_changed.connect(self._ask_cloud)
        panel.new_noise_requested.connect(self.draw_new_noise)
        panel.models_wanted.connect(self._offer)
        panel.model_chosen.connect(self._fetch)
        panel.file_wanted.connect(self._ask_for_file)
        panel.model_removed.connect(self.remove)
        panel.image_chosen.connect(hub.latent.select_image)
        panel.sight_changed.connect(self._on_sight)
        self._shelf.read.connect(self._on_read)
        self._shelf.failed.connect(self._on_unread)
        hub.model_opened.connect(self._on_model_opened)
        hub.data_changed.connect(self._on_data_changed)
        hub.subject.changed.connect(self._on_subject)
        hub.subject.cleared.connect(self._show_reason)
        hub.latent.codes_changed.connect(self._on_codes)
        for asked in (self._clouds, self._maps, self._neighbours):
            asked.found.connect(self._on_found)
            asked.failed.connect(self._on_failed)

    # What changes what is shown

    def draw_new_noise(self) -> None:
        """Draw other noise of the same kind and size."""
        self._seed += 1
        self._ask_cloud()

    def set_open_name(self, name: str) -> None:
        """Call the open model by this name."""
        config = self._hub.latent.config
        self._open_name = name
        if config is not None and config.has_codes:
            self._panel.columns[0].set_title(titled(config, name))

    def _on_model_opened(self, config: ExperimentConfig) -> None:
        for asked in (self._clouds, self._neighbours):
            asked.forget()
        self._seen = None
        self._clear_points()
        self._panel.set_neighbours(None)
        model = config.model
        if not model.has_codes:
            self._panel.set_column(0, "", None)
            self._show_reason("An autoregressive model has no codes: similar images cannot have similar ones.")
            return
        self._panel.set_column(0, titled(model, self._open_name), model)
        kept = [(name, beside) for name, beside in self._beside if not refusal(beside.model.config, model, name)]
        if len(kept) < len(self._beside):
            self._panel.set_note("Models for pictures of another size were taken away.")
        self._set_beside(kept)

    def _on_data_changed(self) -> None:
        self._seen = None
        self._neighbours.forget()
        self._panel.set_neighbours(None)
        self._ask_maps()

    def _on_codes(self) -> None:
        codes = self._hub.latent.codes
        if codes is None or self._hub.latent.hand is None:
            return
        column = self._panel.columns[0]
        if column.codes is None or column.codes.version != codes.version or column.codes.split != codes.split:
            other_images = column.codes is None or column.codes.split != codes.split
            column.set_codes(_thinned(codes))
            if other_images:
                self._ask_maps()
        self._follow()

    def _on_subject(self, subject: Subject) -> None:
        config = self._hub.latent.config
        if config is None or not config.has_codes or len(subject.pixels) != config.num_pixels:
            return
        self._show_reason("")
        self._panel.set_clean(picture_of(subject.pixels, config.image_height, config.image_width))
        self._follow()

    @property
    def _in_sight(self) -> bool:
        return self._panel.in_sight

    def _on_sight(self, in_sight: bool) -> None:  # noqa: FBT001 - a signal's value
        if in_sight:
            self._on_codes()
            self._ask_maps()
            self._follow()
        else:
            self._timer.stop()
            for asked in (self._clouds, self._neighbours):
                asked.forget()
            self._clear_points()

    def _show_reason(self, text: str) -> None:
        self._panel.set_reason(text)
        if text:
            self._clouds.forget()
            self._clear_points()

    # Models beside the open one

    def remove(self, slot: int) -> None:
        """Take away the model in a slot."""
        self._set_beside([beside for number, beside in enumerate(self._beside, 1) if number != slot])

    def _offer(self) -> None:
        self._panel.set_offered(self._shelf.offered())

    def _fetch(self, path: Path) -> None:
        self._panel.set_note(f"Reading {name_of(path)} …")
        self._shelf.fetch(PURPOSE, path)

    def _ask_for_file(self) -> None:
        self._shelf.ask_for_file(PURPOSE)

    def _on_read(self, loaded: LoadedModel) -> None:
        if loaded.origin != PURPOSE:
            return
        name, config = name_of(loaded.path), loaded.saved.config.model
        reason = refusal(config, self._hub.latent.config, name)
        if reason:
            self._panel.set_note(reason)
            return
        self._panel.set_note("")
        beside = MapModel(OpenModel(config, loaded.saved.as_weights(1)))
        self._set_beside([*self._beside, (name, beside)][-MOST_BESIDE:])

    def _on_unread(self, purpose: str, failed: Failed) -> None:
        if purpose == PURPOSE:
            self._panel.set_note(failed.reason)

    def _set_beside(self, beside: list[tuple[str, MapModel]]) -> None:
        self._beside = beside
        for slot in range(1, MOST_BESIDE + 1):
            if slot <= len(beside):
                name, there = beside[slot - 1]
                self._panel.set_column(slot, titled(there.model.config, name), there.model.config)
            else:
                self._panel.set_column(slot, "", None)
        self._ask_maps()

    # Questions

    def _follow(self) -> None:
        if self._in_sight:
            self._ask_cloud()
            if not self._timer.isActive():
                self._timer.start()

    @property
    def _known(self) -> _Known:
        latent, dataset = self._hub.latent, self._hub.dataset
        subject, codes = self._hub.subject.subject, latent.codes
        if subject is None or subject.source is not SubjectSource.DATA or dataset is None or codes is None:
            return _Known(None, None)
        image = latent.selected_image
        split = dataset.half(codes.split)
        if image is None or image >= len(split):
            return _Known(None, None)
        return _Known(image, None if split.labels is None else int(split.labels[image]))

    def _ask_cloud(self) -> None:
        subject, config = self._hub.subject.subject, self._hub.latent.config
        if not self._in_sight or subject is None or config is None or not config.has_codes:
            return
        if len(subject.pixels) != config.num_pixels or self._panel.reason:
            return
        chosen, known = self._panel.controls.settings, self._known
        noise = NoiseChoice(chosen.kind, chosen.level, chosen.num_copies, self._seed)
        others = tuple(beside for _, beside in self._beside)
        codes = self._hub.latent.codes
        self._clouds.ask(CloudAnalysis(subject.pixels, noise, codes, others, known.image, known.label))

    def _ask_neighbours(self) -> None:
        subject, codes, dataset = self._hub.subject.subject, self._hub.latent.codes, self._hub.dataset
        if not self._in_sight or subject is None or codes is None or dataset is None or not self._hub.fits:
            return
        split = dataset.half(codes.split)
        pixels = split.images.shape[1] * split.images.shape[2]
        if len(split) != codes.total or len(subject.pixels) != pixels or self._panel.reason:
            return
        if self._seen is None or self._seen[0] is not split:
            self._seen = (split, SeenImages(split.images, self._seen_as(dataset)))
        known = self._known
        self._neighbours.ask(NeighboursAnalysis(subject.pixels, self._seen[1], codes, known.image, known.label))

    def _seen_as(self, dataset: Dataset) -> DataConfig:
        config = self._hub.latent.config
        return dataset.config if config is None else data_for(dataset.config, config)

    def _ask_maps(self) -> None:
        codes, dataset = self._hub.latent.codes, self._hub.dataset
        if not self._beside or dataset is None or not self._hub.fits or not self._in_sight:
            return
        name = "held_out" if codes is None else codes.split
        split = dataset.half(name)
        models = tuple(beside.model for _, beside in self._beside)
        self._maps.forget()
        self._maps.ask(MapAnalysis(models, split, name, dataset.config, MAP_CODES))

    # Answers

    def _on_found(self, found: Found) -> None:
        analysis, finding = found.analysis, found.finding
        match finding:
            case NoisyExamples(pictures):
                self._panel.set_examples(pictures)
            case Cloud():
                self._show_cloud(finding)
            case MapCodes(slot, codes):
                self._show_map(slot, codes)
            case Neighbours() if isinstance(analysis, NeighboursAnalysis):
                self._show_neighbours(analysis, finding)

    def _show_cloud(self, cloud: Cloud) -> None:
        if not self._in_sight or cloud.slot > len(self._beside):
            return
        column = self._panel.columns[cloud.slot]
        latent_dim = cloud.codes.shape[1]
        if cloud.slot == 0:
            config = self._hub.latent.config
            if config is None or config.latent_dim != latent_dim:
                return
            groups = np.full(len(cloud.codes), CLOUD_COLOUR, np.int64)
            self._hub.canvas.set_points(cloud.codes, None, groups)
            self._points_shown = True
        elif self._beside[cloud.slot - 1][1].model.config.latent_dim != latent_dim:
            return
        column.set_cloud(cloud)

    def _show_map(self, slot: int, codes: Codes) -> None:
        if slot > len(self._beside):
            return
        name, beside = self._beside[slot - 1]
        if codes.mean.shape[1] == beside.model.config.latent_dim:
            self._beside[slot - 1] = (name, replace(beside, codes=codes))
            self._panel.columns[slot].set_codes(codes)
            self._ask_cloud()

    def _show_neighbours(self, analysis: NeighboursAnalysis, found: Neighbours) -> None:
        dataset = self._hub.dataset
        if dataset is None or self._seen is None or analysis.seen is not self._seen[1]:
            return  # of other images than those that are shown now
        split, config = self._seen[0], self._seen_as(dataset)
        in_pixels = self._pictures(split, config, found.in_pixels)
        in_codes = self._pictures(split, config, found.in_codes)
        self._panel.set_neighbours(NeighbourPictures(found, in_pixels, in_codes, dataset.label_names))

    def _pictures(self, split: Split, config: DataConfig, nearest: NearestImages) -> tuple[Picture, ...]:
        """Return the images as the model sees them, or crosses where they cannot be read."""
        size = split.images.shape[1:]
        taken = self._hub.latent.reading.taken(split.images, nearest.images)
        if taken is None:
            return (missing_picture(*size),) * len(nearest.images)
        return tuple(picture_of(row, *size) for row in seen_by_model(taken, nearest.images, config))

    def _on_failed(self, failed: Failed) -> None:
        self._panel.set_note(failed.reason)

    def _clear_points(self) -> None:
        if self._points_shown:
            self._hub.canvas.set_points(None)
            self._points_shown = False
        for column in self._panel.columns:
            column.set_cloud(None)


def _thinned(codes: Codes) -> Codes:
    """Return every so many-th code, for a small map."""
    step = max(1, -(-len(codes) // MAP_CODES))
    if step == 1:
        return codes
    labels = None if codes.labels is None else frozen(codes.labels[::step])
    return replace(
        codes,
        mean=frozen(codes.mean[::step]),
        log_var=None,
        kl=None,
        indices=frozen(codes.indices[::step]),
        labels=labels,
    )
