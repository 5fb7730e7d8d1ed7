"""What a pretraining needs of encoders: heads that predict hidden tokens, models from scratch, and what was made."""
