"""Whether a ledger is damaged: seals of what was written, what else may be wrong, and the one who judges."""
