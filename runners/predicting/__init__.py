"""Predictions written as somebody wants them: which columns, in which form, by which trials."""
