"""Planted defects: what can be wrong with a data set, and what must notice it."""
