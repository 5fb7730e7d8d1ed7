"""Which tokens a step of a pretraining hides: by token, by word, by stretch of tokens."""
