"""Every user action in one place: text, shortcut, icon."""
