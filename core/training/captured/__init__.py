"""Steps of training captured as programs on the processor."""
