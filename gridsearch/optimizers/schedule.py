"""Learning-rate schedules, as multipliers of the peak."""


def linear_with_warmup(step: int, warmup_steps: int, total_steps: int) -> float:
    """Rise linearly from 0 over the warm-up, then fall linearly to 0 at ``total_steps`` (google-research/bert).

    ``step`` counts updates from 0, so that the first update of a warm-up has learning rate 0.

    >>> [linear_with_warmup(step, 2, 6) for step in range(7)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if step < warmup_steps:
        return step / warmup_steps
    return max(0.0, (total_steps - step) / max(1, total_steps - warmup_steps))
