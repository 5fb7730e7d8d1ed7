"""A search space: its factors, levels and rules, and the design that picks its cells."""
