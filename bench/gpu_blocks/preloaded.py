"""Imports of every block of a rehearsal, which take seconds; none may start a thread or ask for a GPU."""

import torch
from transformers import AutoModel, BertModel, BertTokenizer

import gridsearch.training.finetune

__all__ = ["AutoModel", "BertModel", "BertTokenizer", "gridsearch", "torch"]
