"""Prices of trials: measured, kept, added up."""
