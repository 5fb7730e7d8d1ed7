"""Canonical JSON and the hashes made of it: the same value has the same hash in every process and version of Python."""

import hashlib
import json


def canonical_json(value: object) -> str:
    """Serialise with sorted keys, no spaces, shortest floats and no NaN, so that equal values are equal text.

    >>> canonical_json({"b": 1e-05, "a": (True, "é")})
    '{"a":[true,"é"],"b":1e-05}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def fingerprint(value: object) -> str:
    """Return the first 32 hexadecimal digits (128 bits) of the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:32]
