"""The training loop, a generator that yields frozen reports."""
