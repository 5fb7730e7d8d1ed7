"""What stands on a NEZHA in its pretraining: BERT's heads. Importing this registers the family with transformers."""

from torch import nn
from transformers import AutoModelForMaskedLM, AutoModelForPreTraining
from transformers.models.bert.modeling_bert import (
    BertForMaskedLM,
    BertForPreTraining,
    BertOnlyMLMHead,
    BertPreTrainedModel,
    BertPreTrainingHeads,
)

from gridsearch.encoders.nezha import NezhaConfig, NezhaModel, NezhaPreTrainedModel

_TIED = {
    "cls.predictions.decoder.weight": "nezha.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}


class _Headed(NezhaPreTrainedModel):
    """A NEZHA where BERT's code looks for its BERT."""

    _tied_weights_keys = _TIED

    def __init__(self, config: NezhaConfig, head: type[nn.Module], with_pooler: bool) -> None:
        BertPreTrainedModel.__init__(self, config)  # not the next class's: it would make BERT's parts
        self.nezha = NezhaModel(config, add_pooling_layer=with_pooler)
        self.cls = head(config)
        self.post_init()  # type: ignore[no-untyped-call]

    @property
    def bert(self) -> NezhaModel:
        """The encoder."""
        return self.nezha


class NezhaForMaskedLM(_Headed, BertForMaskedLM):  # type: ignore[misc]
    """BertForMaskedLM's interface on a NEZHA."""

    def __init__(self, config: NezhaConfig) -> None:
        super().__init__(config, BertOnlyMLMHead, with_pooler=False)


class NezhaForPreTraining(_Headed, BertForPreTraining):  # type: ignore[misc]
    """BertForPreTraining's interface on a NEZHA."""

    def __init__(self, config: NezhaConfig) -> None:
        super().__init__(config, BertPreTrainingHeads, with_pooler=True)


AutoModelForMaskedLM.register(NezhaConfig, NezhaForMaskedLM, exist_ok=True)
AutoModelForPreTraining.register(NezhaConfig, NezhaForPreTraining, exist_ok=True)
