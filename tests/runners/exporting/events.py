"""TensorBoard's event files, read by tensorboardX: one file a folder."""

from pathlib import Path


def events_in(folder: Path):
    from tensorboardX.proto.event_pb2 import Event

    (file,) = folder.glob("events.*")
    content = file.read_bytes()
    while content:  # length (8 bytes), its checksum (4), the event, its checksum (4)
        length = int.from_bytes(content[:8], "little")
        yield Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def scalars_of(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events_in(folder):
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def hparams_of(folder: Path) -> dict[str, object]:
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    for event in events_in(folder):
        for value in event.summary.value:
            if value.tag == "_hparams_/session_start_info":
                told = HParamsPluginData.FromString(value.metadata.plugin_data.content).session_start_info
                return {name: getattr(one, one.WhichOneof("kind")) for name, one in told.hparams.items()}
    raise AssertionError("no settings")
