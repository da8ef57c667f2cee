"""Frozen findings about a model and its pictures: numbers and read-only numpy arrays, safe to hand to any thread."""
