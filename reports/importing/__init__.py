"""Results of others, made a study of observations: a published table, notes, or the log of a training."""
