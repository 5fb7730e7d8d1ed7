"""The cost of the harness, and of what users would pick instead: see README.md."""
