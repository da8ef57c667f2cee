"""Widgets: they show snapshots through setters and say what the user did through signals."""
