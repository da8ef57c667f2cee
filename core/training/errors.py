"""What a training run says when it cannot go on."""


class TrainingError(RuntimeError):
    """Training cannot start or cannot go on; the message says why, for the user."""
