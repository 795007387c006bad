"""Why an item is in the data set or is not."""
