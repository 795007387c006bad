"""Where shards of work run. An engine knows nothing of images or tables."""
