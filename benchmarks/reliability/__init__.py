"""What the program survives, each claim as a script that breaks it on purpose and counts what comes of it."""
