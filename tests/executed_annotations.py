"""The checker that executes core's annotations while tests run."""

from typing import Any, Self

import numpy as np
from beartype import BeartypeConf, FrozenDict, beartype

checked = beartype(
    conf=BeartypeConf(
        hint_overrides=FrozenDict(
            {
                # mypy wants both parameters for an array of any kind; beartype takes neither for the same thing.
                np.ndarray[Any, Any]: np.ndarray,
                np.ndarray[Any, np.dtype[Any]]: np.ndarray,
                # Methods are checked one by one, where beartype cannot know their class.
                Self: Any,
            }
        ),
        is_pep484_tower=True,
    )
)
