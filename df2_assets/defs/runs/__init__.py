"""Runs of Dagster: how they are launched, whether they live, what they recorded, which are kept."""
