"""Tests, each a sentence."""
