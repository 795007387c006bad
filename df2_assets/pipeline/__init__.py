"""What a build does with an engine and the store: index, plan, cut, publish."""
