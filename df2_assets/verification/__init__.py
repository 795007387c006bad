"""The comparison of the files on disk with what was built."""
