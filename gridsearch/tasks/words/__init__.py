"""Words in the tokens of a corpus, for masks that hide words: where each of them begins."""
