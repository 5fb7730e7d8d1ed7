"""All that a worker runs: the one training loop. It knows no plan, space or study."""
