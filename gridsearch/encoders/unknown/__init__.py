"""Families that nobody has described here: their parts are found by looking at a model, and held against what it does."""
