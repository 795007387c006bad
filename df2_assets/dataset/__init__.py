"""The rules: from annotations to SKUs, crops, metadata and prompts. Knows nothing of disks."""
