"""Data files as columns of strings: found out how they are written, and read."""
