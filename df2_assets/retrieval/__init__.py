"""Retrieval: search by vectors, metrics of rankings, and the evaluation of a split.

`search` and `metrics` know vectors and ranks, but neither splits nor files.
"""
