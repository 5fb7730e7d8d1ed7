"""From the ledger to rows."""
