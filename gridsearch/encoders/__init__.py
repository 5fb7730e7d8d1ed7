"""Encoders, from which trials start: pretrained transformers, and what is done to them before training."""
