"""Which settings did not learn."""
