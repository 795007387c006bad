"""Support for tests: a writer of data sets, an independent reading, comparisons, processes."""
