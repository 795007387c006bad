"""Encoders, which turn crops into vectors, and the files that hold these vectors.

`pipeline/embedding.py` decides which crops are encoded, and runs the encoders.
"""
