"""The data of a trial: files, their rows and their batches."""
