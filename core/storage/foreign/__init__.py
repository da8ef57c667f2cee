"""Weights of other programs: unpickled in a process of its own, then mapped onto a model of ours."""
