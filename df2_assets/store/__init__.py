"""What is on disk: where things lie, and how they are written so that nothing is half there."""
