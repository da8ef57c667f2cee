"""Tests of core.objectives."""
