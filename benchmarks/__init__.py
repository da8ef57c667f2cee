"""One script for each promise: it measures, and prints rows that `./run bench` gathers."""
