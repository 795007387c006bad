"""Dagster's runs: launching and queueing, liveness of processes, history, and retention."""
