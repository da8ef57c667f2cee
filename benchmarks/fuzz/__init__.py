"""Files damaged on purpose, and processes in which whatever they do to a reader is counted."""
