"""Families that are not described here: their parts are found in a model, and held against what it does."""
