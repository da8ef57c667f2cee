"""How much main memory is free."""

from typing import Final

GIB: Final = 2**30
ASSUMED_MEMORY: Final = 8 * GIB
"""Bytes taken to be free where the system does not say."""


def available_memory() -> int | None:
    """Return the bytes of main memory that are free for use, or None where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:  # noqa: PTH123  a stream of the kernel's
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    return None


def memory_to_plan_with() -> int:
    """Return the bytes of main memory that are free, or a cautious guess."""
    found = available_memory()
    return ASSUMED_MEMORY if found is None else found
