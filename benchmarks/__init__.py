"""How fast the project is, and the commands that measure it: `make bench`, `make rehearsal`."""
