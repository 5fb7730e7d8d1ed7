"""Attending to a sweep that runs, from another process: stopping it in order, and leaving cells out."""
