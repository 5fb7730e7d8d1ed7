"""What the harness costs, and what users would pick instead costs: see README.md."""
