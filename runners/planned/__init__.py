"""What a plan says beside its cells: its task, its stages, what it costs."""
