"""Schedules, which say what is run next: rounds of a grid or a halving, and the search by Optuna."""
