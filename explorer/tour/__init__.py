"""The tour: the real window, driven by real mouse and key events, in pictures and numbers."""

from explorer.tour.main import main

__all__ = ["main"]
