"""The session: what is open as a whole, the commands that change it, and its orderly end."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from core.compatibility import settled
from core.config import DataConfig, ExperimentConfig
from core.data.corruption import corruptor_for
from core.data.dataset import Dataset
from core.saved_model import FOREIGN_SUFFIXES, SavedModel
from core.settings import ConfigError
from explorer.messages import Failed, JobFailed, LoadedRun, RunResult, RunState, RunWeights
from explorer.session import binarisations
from explorer.session.activations import ActivationSession
from explorer.session.analyses.all import Analyses
from explorer.session.analyses.hub import AnalysisHub
from explorer.session.analyses.shelf import ModelShelf
from explorer.session.autosaves import SUFFIX, Autosaves
from explorer.session.closing import Closing
from explorer.session.conversion import ConversionSession
from explorer.session.documents import DocumentSession
from explorer.session.drawing import DrawingSession
from explorer.session.encoding import EncodingSession
from explorer.session.fit_notes import note_on_fit
from explorer.session.importing import PICTURE_SUFFIXES, ImportSession
from explorer.session.latent import LatentSession
from explorer.session.recovery import RecoverySession
from explorer.session.sampling import SamplingSession
from explorer.session.slider_edits import SliderSession
from explorer.session.subject import SubjectSession
from explorer.session.training import TrainingSession, checked_start
from explorer.session.views import Views
from explorer.session.workers import Workers
from explorer.settings import Settings

_MODEL_SUFFIXES = (SUFFIX, *FOREIGN_SUFFIXES)


class Session(QObject):
    """Joins documents, latent space, drawing and training, and carries out commands."""

    failed = Signal(Failed)
    closed = Signal(bool)
    """Every thread has ended, or (False) one is still busy with nothing to lose at the deadline."""

    def __init__(self, views: Views, workers: Workers, settings: Settings, folder: Path) -> None:
        super().__init__()
        self._views = views
        self._workers = workers
        self.config = ExperimentConfig()
        self.latent = LatentSession(views.canvas, views.sliders, views.hand, workers.inference, self)
        self.sliders = SliderSession(views.sliders, self.latent, workers.inference, self)
        self.drawing = DrawingSession(views.draw_pad, views.canvas, self.latent, workers.inference, self)
        self.sampling = SamplingSession(views.late.sampling, self.latent, self.drawing, workers.inference, self)
        self.activations = ActivationSession(views.model, self.latent, self)
        self.training = TrainingSession(views.training, views.curves, self.latent, workers.training, self)
        self.subject = SubjectSession(self.latent, self.drawing, self)
        self.hub = AnalysisHub(
            views.canvas, self.latent, self.drawing, self.subject, workers.analysis, workers.evidence, self
        )
        shelf = ModelShelf(settings, folder / "autosaves", workers.beside, views.window.files, self)
        self.analyses = Analyses(views, workers, shelf, self.hub, self)
        self.encoding = EncodingSession(self.hub, views.window, self)
        self.documents = DocumentSession(
            settings, Autosaves(folder / "autosaves"), workers.loading, workers.storage, self
        )
        self.recovery = RecoverySession(folder / "runs", views.window, self.documents, self.training, workers, self)
        self._importing = ImportSession(workers.loading, views.window, self)
        self._closing = Closing(views.window, self.documents, self.training, workers, self)
        self._closing.closed.connect(self._on_closed)
        self._start_paths: tuple[Path, ...] = ()
        self._wanted_data: DataConfig | None = None
        self._connect()
        self._connect_hand()
        self.conversion = ConversionSession(self.documents, workers.loading, views.window, self)

    def _connect(self) -> None:
        documents, training, views, workers = self.documents, self.training, self._views, self._workers
        documents.model_opened.connect(self._on_model_opened)
        documents.data_opened.connect(self._on_data_opened)
        documents.info_changed.connect(views.window.set_document)
        documents.info_changed.connect(self.hub.set_document)
        documents.info_changed.connect(self.analyses.show_document)
        documents.data_info_changed.connect(views.data.set_data)
        documents.message.connect(views.window.show_status)
        documents.note.connect(views.window.show_message)
        for part in (documents, self.recovery, self.latent.reading):
            part.failed.connect(self.failed)
        for thread in (workers.inference, workers.evidence):
            thread.failed.connect(self.latent.reading.tell)
        self.recovery.curves_wanted.connect(self._show_curves_only)
        documents.recent_changed.connect(views.window.refresh_recent_files)
        documents.run_save_wanted.connect(workers.training.save)
        documents.run_in_the_way.connect(training.stop)
        training.state_changed.connect(self._on_run_state)
        training.run_ended.connect(self._on_run_ended)
        training.run_ended.connect(documents.let_go_of_run)
        training.epochs_changed.connect(documents.show_epochs)
        training.weights_sent.connect(self._on_weights_sent)
        training.held_out_reported.connect(self.hub.held_out_reported)
        self.sampling.hand_changed.connect(self.hub.tell_weights)
        self.sampling.refreshed.connect(self.latent.refreshed)
        for panel in (views.data, views.model, views.training):
            panel.setting_edited.connect(self.edit)
        views.data.data_chosen.connect(self.choose_data)
        views.training.start_requested.connect(self.start_training)
        views.training.continue_requested.connect(self.continue_training)
        workers.training.torch_loaded.connect(workers.evidence.set_torch)
        workers.training.model_saved.connect(documents.on_run_saved)
        workers.training.save_failed.connect(documents.on_failed)
        for thread_progress in (workers.loading.progressed, workers.training.preparing):
            thread_progress.connect(views.window.show_progress)
        self._importing.accepted.connect(self._on_import_accepted)
        workers.loading.picture_imported.connect(self.drawing.show_picture)
        workers.loading.failed.connect(self._on_job_failed)

    def _connect_hand(self) -> None:
        """See to it that the hand comes first."""
        inference, canvas = self._workers.inference, self._views.canvas
        for gives_way in (self._workers.training, self.training, self._views.curves):
            self.hub.movement.changed.connect(gives_way.set_hand_moving)
        # After what shows them: a movement that comes next would else wait for their painting.
        for answered in (inference.codes_ready, inference.mosaic_ready):
            answered.connect(canvas.paint_beside_hand)

    # Opening

    def open_start(self, paths: tuple[Path, ...]) -> None:
        """Open what the command line names, over what was open last or the shipped model."""
        models = [path for path in paths if path.suffix.lower() in _MODEL_SUFFIXES]
        self._start_paths = tuple(path for path in paths if path not in models)
        self.recovery.look()
        if models:
            self.documents.open_model(models[-1])
        else:
            self.documents.restore()

    def open_paths(self, paths: tuple[Path, ...]) -> None:
        """Open files by what they are: a model, pictures for the pad, or data."""
        for path in paths:
            if path.suffix.lower() in _MODEL_SUFFIXES:
                self.documents.open_model(path)
            elif path.suffix.lower() in PICTURE_SUFFIXES and path.is_file():
                self.open_picture(path)
            elif self.training.active:
                self.failed.emit(Failed(f"{path.name} is not opened: the data stays while a model trains on it."))
            else:
                self._workers.loading.open_path(path)

    def open_picture(self, path: Path) -> None:
        """Put a picture from a file on the draw pad."""
        model = self.latent.config
        if model is not None:
            self._workers.loading.import_picture(path, self._data_config, model.image_height, model.image_width)

    def choose_data(self, source: str) -> None:
        """Open a data set by name, or one that was open before by its path."""
        if source in {"mnist", "shapes"}:
            centre = source == "mnist"
            self._wanted_data = DataConfig(
                source=source, binarisation=self.config.data.binarisation, centre_drawings=centre
            )
            self.documents.open_data(self._wanted_data)
        else:
            self._workers.loading.open_path(Path(source))

    @property
    def _data_config(self) -> DataConfig:
        saved = self.documents.saved
        return self.config.data if saved is None else saved.config.data

    def _on_model_opened(self, saved: SavedModel) -> None:
        config = saved.config
        # Whatever the next model is to see: the open one is shown what it was made for.
        data = config.data
        if self.documents.dataset is not None:
            data = replace(self.config.data, binarisation=config.data.binarisation)
        # The shipped model was trained for long; the first model of one's own should be there in a minute.
        training = self.config.training if self.documents.is_shipped else config.training
        self._set_config(replace(config, data=data, training=training))
        self._show_saved(saved)
        if self.documents.opened_by_hand:
            # What went wrong before is mended now; one that the program opens may stand in for what failed.
            self._views.window.clear_error()
        # Once the model's own data was asked for, which would otherwise come last and be shown instead.
        QTimer.singleShot(0, self._open_start_paths)

    def _open_start_paths(self) -> None:
        paths, self._start_paths = self._start_paths, ()
        self.open_paths(paths)

    def _show_saved(self, saved: SavedModel) -> None:
        config = saved.config
        self._show_model(config)
        self._look_as(config.data.binarisation)
        self.training.show_history(saved.history, config)
        self._workers.set_model(config.model, saved.as_weights(self.training.next_version()))
        self._check_fit()

    def _show_model(self, config: ExperimentConfig) -> None:
        model = config.model
        self.latent.open_model(model, corruptor_for(model, config.objective))
        self.drawing.open_model(config)
        self.sampling.open_model(model)
        self.activations.open_model(config)
        self._views.hand.set_has_codes(model.has_codes)
        self._views.window.set_model(model)
        self.hub.name = self.documents.name
        self.hub.open_model(config)

    def _on_data_opened(self, dataset: Dataset) -> None:
        if dataset.config == self._wanted_data:
            self._importing.close()
            self._views.window.clear_error()
        self._set_config(replace(self.config, data=binarisations.of_next_run(self.config, dataset.config)))
        if dataset.config.binarisation != binarisations.shown(dataset.config.binarisation, self.latent.config):
            self._look_as(dataset.config.binarisation)
            return
        self.latent.set_dataset(dataset)
        self.drawing.set_dataset(dataset)
        self.hub.set_dataset(dataset)
        self.sampling.follow_data()
        self._check_fit()

    def _look_as(self, binarisation: str) -> None:
        """See the open data in this binarisation, as far as the open model can."""
        dataset, wanted = self.documents.dataset, binarisations.shown(binarisation, self.latent.config)
        if dataset is not None and dataset.config.binarisation != wanted:
            self.documents.reread(wanted)

    def _check_fit(self) -> None:
        """Offer to train on data that the open model was not made for; the model stays."""
        documents, window = self.documents, self._views.window
        dataset, model = documents.dataset, self.latent.config
        note = None if dataset is None else note_on_fit(dataset, model, documents.saved, documents.name)
        if note is None:
            window.clear_message()
        else:
            window.show_message(note.text, note.action_text, note.command)
        self._show_abilities()

    def open_own_data(self) -> None:
        """Open the data the open model was trained on."""
        if self.documents.saved is not None and not self.training.active:
            self.documents.open_data(self.documents.saved.config.data)

    def _show_abilities(self) -> None:
        complete = self.documents.data_complete
        can_continue = complete and self.documents.saved is not None and self.latent.fits(self.documents.dataset)
        reading = self.documents.dataset is not None and not complete
        self._views.training.set_can_start(complete, "The training images are still being read." if reading else "")
        self._views.training.set_can_continue(can_continue)
        self._views.window.refresh_run_commands()

    # Importing

    def _on_import_accepted(self, config: DataConfig) -> None:
        self._wanted_data = config
        self.documents.open_data(config)

    def _on_job_failed(self, failed: JobFailed) -> None:
        if failed.job in {"preview data", "open data"} and self._importing.asks_for(failed.path):
            self._importing.explain(failed.failure)
        elif failed.job == "open picture":
            self.failed.emit(failed.failure)
        elif failed.job == "open model" and failed.origin == "shipped":
            self._open_start_paths()

    # Settings

    def edit(self, section: str, name: str, value: object) -> None:
        """Take a setting from a form: into the next run, and into the run in progress where it is live."""
        try:
            changed = self.config.with_values({f"{section}.{name}": value})
        except ConfigError as error:
            self.failed.emit(Failed(str(error)))
            return
        changed, note = settled(self.config, changed)
        self._set_config(changed)
        if note:
            self._views.window.show_message(note)
        if section == "data" and name == "binarisation":
            self._look_as(changed.data.binarisation)
        if name in {"learning_rate", "beta"} and isinstance(value, float | int):
            self.training.change(name, float(value))

    def _set_config(self, config: ExperimentConfig) -> None:
        self.config = config
        for panel in (self._views.data, self._views.model, self._views.training):
            panel.set_config(config)

    # Runs

    def start_training(self) -> None:
        """Make a new model and train it on the open data."""
        dataset = self.documents.dataset
        if self.training.active or dataset is None or not self.documents.data_complete:
            return
        try:
            config = checked_start(self.config, dataset, None)
        except ConfigError as error:
            self.failed.emit(Failed(str(error)))
            return
        self._views.window.clear_message()
        self._show_model(config)
        self._look_as(config.data.binarisation)
        self._begin_run(config, self.documents.dataset or dataset, None)

    def continue_training(self) -> None:
        """Train the open model for more epochs."""
        dataset, saved = self.documents.dataset, self.documents.saved
        if self.training.active or dataset is None or saved is None or not self.documents.data_complete:
            return
        try:
            config = checked_start(self.config, dataset, saved)
        except ConfigError as error:
            self.failed.emit(Failed(str(error)))
            return
        self._begin_run(config, dataset, saved)

    def _begin_run(self, config: ExperimentConfig, dataset: Dataset, start: SavedModel | None) -> None:
        autosave = self.documents.begin_run(config, new=start is None)
        keeping = self.recovery.keeping(self.documents.run_name, autosave)
        self.training.start(config, dataset, start, autosave, keeping)

    def _show_curves_only(self, loaded: LoadedRun) -> None:
        """Show what is left of a run without weights: its settings, for a new one, and its curves."""
        self._set_config(loaded.config)
        self.training.show_history(loaded.history, loaded.config)

    def _on_run_state(self, state: RunState) -> None:
        running = state is not RunState.IDLE
        self._views.data.set_running(running)
        self._views.model.set_running(running)
        self._views.window.set_run_state(state)
        self.hub.set_live(running)
        self._show_abilities()

    def _on_weights_sent(self, sent: RunWeights) -> None:
        self._workers.set_model(sent.config, sent.weights)

    def _on_run_ended(self, result: RunResult) -> None:
        self.documents.end_run(result)
        saved = self.documents.saved
        if result.saved is not None:
            model = result.saved.config.model
            self._workers.set_model(model, result.saved.as_weights(self.training.next_version()))
        elif saved is not None:
            self._show_saved(saved)  # a run that never took a step leaves what was open, and the forms as they are
        if isinstance(result.ending, Failed):
            self.failed.emit(result.ending)
        self._show_abilities()
        if self._closing.begun:
            self._closing.go_on(result)
            return
        if result.save_error:
            self.failed.emit(Failed(f"The model could not be saved: {result.save_error}"))
        self.documents.release_held()

    # The end

    @property
    def closing(self) -> bool:
        """Whether the end has begun."""
        return self._closing.begun

    def close(self) -> None:
        """Begin the end; `closed` follows, unless there is something to be said first."""
        self._closing.begin()

    def _on_closed(self, clean: bool) -> None:  # noqa: FBT001 - a signal's argument
        self.subject.stop()
        self.analyses.ledger.stop()
        self.closed.emit(clean)
