"""What a trial starts from: pretrained transformers, and what is done to them before training."""
