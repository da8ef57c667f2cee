"""The symbols the views write."""

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def dimension_name(dimension: int) -> str:
    """Return how a latent dimension, counted from 0, is written: z₁ for the first."""
    return "z" + str(dimension + 1).translate(_SUBSCRIPTS)
