"""What a machine has, what gridsearch will use of it, and what would go wrong: the parts of ``gridsearch doctor``."""
