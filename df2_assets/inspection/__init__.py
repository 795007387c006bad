"""What can be said of a data set, built or not: pure functions over its tables and files."""
