"""Peers, each run by the Python of .venv-bench: the standard library, benchmarks.measure and the peer itself."""
