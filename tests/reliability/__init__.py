"""The trials of benchmarks/reliability, a small dose of each."""
