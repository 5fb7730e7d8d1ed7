"""Pretraining in a recipe: its knobs, when they cannot act, contradict each other, or mean the same."""
