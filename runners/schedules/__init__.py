"""What is asked next: the search by Optuna."""
