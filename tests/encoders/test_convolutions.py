"""ConvBERT's convolutions read no padding here, and everything that is no padding as transformers has them read it."""

from pathlib import Path

import torch
from torch import nn
from transformers import AutoModel

from gridsearch.encoders.load import build_model
from tests.fixtures_core import encoder_in

ROW = torch.arange(5, 14)[None]
PADDED = nn.functional.pad(ROW, (0, 6))
MASK = nn.functional.pad(torch.ones_like(ROW), (0, 6))


def test_a_padded_row_is_the_row_alone(family_folders: dict[str, Path]) -> None:
    ours = build_model(encoder_in(family_folders["convbert"]), None).eval()
    theirs = AutoModel.from_pretrained(family_folders["convbert"]).eval()
    with torch.inference_mode():
        alone = ours(input_ids=ROW, attention_mask=torch.ones_like(ROW)).last_hidden_state
        padded = ours(input_ids=PADDED, attention_mask=MASK).last_hidden_state[:, : ROW.shape[1]]
        torch.testing.assert_close(padded, alone, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(alone, theirs(ROW).last_hidden_state, rtol=1e-4, atol=1e-5)
        theirs_padded = theirs(PADDED, MASK).last_hidden_state[:, : ROW.shape[1]]
    assert (theirs_padded - alone).abs().max() > 1e-3, "transformers has mended it: ours can go"


def test_no_mask_is_kept_from_one_batch_to_the_next(family_folders: dict[str, Path]) -> None:
    model = build_model(encoder_in(family_folders["convbert"]), None).eval()
    with torch.inference_mode():
        before = model(input_ids=PADDED).last_hidden_state
        model(input_ids=PADDED, attention_mask=MASK)
        assert torch.equal(model(input_ids=PADDED).last_hidden_state, before)
