"""The knobs of a fine-tune: their values, which of them cannot act, which contradict each other."""
