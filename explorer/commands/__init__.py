"""One place for every user action: its text, shortcut, icon and help, and the QAction made from it."""
