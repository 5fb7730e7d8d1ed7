"""Pairs that are added to training pairs: those that follow from them, and pairs from outside."""
