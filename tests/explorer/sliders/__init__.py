"""Tests of the sliders."""
