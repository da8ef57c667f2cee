"""Which training commands make sense when: one rule for menus and buttons."""

from explorer.messages import RunState

START, CONTINUE, PAUSE_OR_RESUME, STOP = "model.start", "model.continue", "model.pause_or_resume", "model.stop"
RUN_COMMANDS = (START, CONTINUE, PAUSE_OR_RESUME, STOP)


def available_run_commands(state: RunState, *, can_start: bool, can_continue: bool) -> frozenset[str]:
    """Return the training commands that can be given in this state.

    `can_start`: there is data and every setting is valid.  `can_continue`: a model is open that the data fits.
    """
    if state is RunState.IDLE:
        return frozenset(name for name, able in ((START, can_start), (CONTINUE, can_continue)) if able)
    if state in {RunState.RUNNING, RunState.PAUSED}:
        return frozenset({PAUSE_OR_RESUME, STOP})
    return frozenset({STOP}) if state is RunState.STARTING else frozenset()
