"""The rules that turn annotations into SKUs, crops, metadata and prompts.

Nothing here reads or writes files."""
