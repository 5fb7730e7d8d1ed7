"""How anonymised ids become tokens: the knobs, and the rules of where they act."""
