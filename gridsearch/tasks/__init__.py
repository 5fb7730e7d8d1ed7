"""What a trial reads: data files, their rows and their batches."""
