"""A study's folder: the ledger, who may write it, and what the study is bound to."""
