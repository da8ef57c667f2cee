"""Frozen results of inference about one image or a whole data set: plain numbers and read-only numpy arrays."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """Something that an analysis found out; what it is, its class says."""
