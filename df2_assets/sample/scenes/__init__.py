"""What is around the clothes: grounds, the person who wears them, what gets in the way."""
