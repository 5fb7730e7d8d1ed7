"""What others measured becomes a study of observations: a published table, notes, or the log of a training."""
