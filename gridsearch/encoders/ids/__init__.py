"""Encoders of anonymised ids: a vocabulary of numbers, and where its rows come from."""
