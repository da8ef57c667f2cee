"""Tests of the widgets, driven by real events."""
