"""What a family's code in transformers does that training must not have: taken out by hooks, without a copy of it."""
