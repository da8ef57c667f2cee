"""Running out of memory: how it is told from other errors, and what a run can do with less of it."""

from typing import Final

import torch

HALVINGS_ON_A_CARD: Final = 3
"""So often the batch is halved before a run leaves the card for the processor."""

# The processor's allocator, cuBLAS and cuDNN raise plain RuntimeErrors.
_TELLING = ("can't allocate memory", "not enough memory", "out of memory", "_ALLOC_FAILED", "std::bad_alloc")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of Python or torch says that memory, the machine's or a card's, does not suffice."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _TELLING)


def release(device: torch.device) -> None:
    """Give back to the system what torch keeps of a card's memory for later."""
    # Nothing is collected here: what a collector finds may be a widget, which only the window's thread may destroy.
    if device.type == "cuda":
        torch.cuda.empty_cache()
