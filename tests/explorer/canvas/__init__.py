"""Tests of the latent canvas."""
