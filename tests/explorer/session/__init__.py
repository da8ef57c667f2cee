"""Tests of what is open, without and with the real views."""
