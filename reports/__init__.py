"""The reading side: from the ledger to a page."""
