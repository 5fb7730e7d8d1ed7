"""What is known of an encoder and a task before anything is trained: enough to tell whether a knob can act."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """Depth and parts of the encoder, size and labels of the training rows."""

    family: str
    n_layers: int
    has_pooler: bool
    max_tokens: int
    n_train_rows: int
    label_counts: tuple[int, ...]
    dropout: float | None = None

    @property
    def n_labels(self) -> int:
        """Number of classes."""
        return len(self.label_counts)
