"""Sizes as a person reads them."""


def spell_size(n_bytes: int) -> str:
    """Spell bytes for a person.

    >>> spell_size(12_345), spell_size(2_345_678), spell_size(63_400_000_000)
    ('12 kB', '2.3 MB', '63.4 GB')
    """
    if n_bytes < 10**6:
        return f"{n_bytes / 1e3:.0f} kB"
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 10**9 else f"{n_bytes / 1e9:.1f} GB"
