"""Engines, which run shards of work. They know nothing about images or tables."""
