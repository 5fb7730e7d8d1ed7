"""What every block of a rehearsal needs and takes seconds to import; none of it may start a thread or ask for a GPU."""

import torch
from transformers import AutoModel, BertModel, BertTokenizer

import gridsearch.training.finetune

__all__ = ["AutoModel", "BertModel", "BertTokenizer", "gridsearch", "torch"]
