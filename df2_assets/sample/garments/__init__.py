"""Garments: how they are cut, what they are made of, and how they are painted."""
