"""Whether the files on disk are still what was built."""
