"""The same grid as users of the Hugging Face Trainer run it today."""
