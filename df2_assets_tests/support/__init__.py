"""What the tests are made with: a writer of data sets, an independent reading, comparisons."""
