"""Tests of core.probability."""
