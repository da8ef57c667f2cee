"""Which commands make sense when: one rule for menus and buttons."""

from core.config import ModelConfig
from explorer.messages import RunState

START, CONTINUE, PAUSE_OR_RESUME, STOP = "model.start", "model.continue", "model.pause_or_resume", "model.stop"
RUN_COMMANDS = (START, CONTINUE, PAUSE_OR_RESUME, STOP)
NO_PRIOR = "The open model has no prior: it is an autoencoder."
NO_CODES = "The open model has no latent code: it is autoregressive."
_OF_PRIOR = ("view.prior", "view.posterior")
_OF_CODES = ("view.codes", "view.mosaic", "view.fit", "view.compare", "file.export_canvas")


def available_run_commands(state: RunState, *, can_start: bool, can_continue: bool) -> frozenset[str]:
    """Return the training commands that can be given in this state.

    `can_start`: there is data and every setting is valid.  `can_continue`: a model is open that the data fits.
    """
    if state is RunState.IDLE:
        return frozenset(name for name, able in ((START, can_start), (CONTINUE, can_continue)) if able)
    if state in {RunState.RUNNING, RunState.PAUSED}:
        return frozenset({PAUSE_OR_RESUME, STOP})
    return frozenset({STOP}) if state is RunState.STARTING else frozenset()


def reasons_against(model: ModelConfig) -> dict[str, str]:
    """Return why a command means nothing for such a model, in a sentence; an empty one where it does."""
    without_codes = "" if model.has_codes else NO_CODES
    without_prior = "" if model.has_prior else NO_PRIOR
    return dict.fromkeys(_OF_PRIOR, without_codes or without_prior) | dict.fromkeys(_OF_CODES, without_codes)
