"""Other programs that do the same, each in an environment of its own."""
