"""The fault harness: whatever happens, nothing is lost. See `docs/reliability.md`."""
