"""Ensembles: averages of predictions, how their members are chosen, and what they honestly gain."""
