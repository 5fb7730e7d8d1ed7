"""A machine, the use that gridsearch will make of it, and what would go wrong: the parts of ``gridsearch doctor``."""
