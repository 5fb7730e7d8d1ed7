"""Attending to a study: what other processes ask of the driver that runs it, and what the ledger keeps of it."""
