"""Tests of the library, without Qt."""
