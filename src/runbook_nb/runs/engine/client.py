"""Collects what cells say, within bounds, while they run."""

from typing import Any, Final

from nbformat.v4 import new_output, output_from_msg
from papermill.clientwrap import PapermillNotebookClient

from runbook_nb.redaction.outputs import CELL_LIMIT, MARGIN, TEXT_LIMIT, size_of

_OUTPUTS_LIMIT: Final = 500  # outputs of one cell
_DISPLAYS: Final = ("display_data", "execute_result")


class CollectingClient(PapermillNotebookClient):  # type: ignore[misc]  # nbclient is untyped
    """Collects outputs of cells: streams joined, and no more than may be kept."""

    def output(self, outs: list[Any], msg: Any, display_id: Any, cell_index: int) -> Any:
        """Add one message to the outputs of a cell."""
        self.nb_man.output_changed(cell_index)
        if self.clear_before_next_output:
            self.nb_man.dropped[cell_index] = 0
            return super().output(outs, msg, display_id, cell_index)
        if msg["msg_type"] == "stream":
            return self._stream(outs, msg["content"], cell_index)
        if msg["msg_type"] in _DISPLAYS and _is_full(outs):
            self.nb_man.dropped[cell_index] += size_of(output_from_msg(msg))
            return None
        return super().output(outs, msg, display_id, cell_index)

    def clear_output(self, outs: list[Any], msg: Any, cell_index: int) -> None:
        """Take the outputs of a cell away, as it asked."""
        if not msg["content"].get("wait"):
            self.nb_man.dropped[cell_index] = 0
        self.nb_man.output_changed(cell_index)
        super().clear_output(outs, msg, cell_index)

    def _update_display_id(self, display_id: str, msg: Any) -> None:
        """Update a display wherever it stands; that may be in an earlier cell."""
        super()._update_display_id(display_id, msg)
        for cell_index in self._display_id_map.get(display_id, ()):
            self.nb_man.output_changed(cell_index)

    def _stream(self, outs: list[Any], content: Any, cell_index: int) -> Any:
        stream = _joinable(outs, content["name"])
        if stream is None and len(outs) < _OUTPUTS_LIMIT:
            stream = new_output("stream", name=content["name"], text="")
            outs.append(stream)
        text = content["text"]
        held = len(stream.text) if stream is not None else TEXT_LIMIT + MARGIN
        if stream is not None:
            stream.text += text[: max(0, TEXT_LIMIT + MARGIN - held)]
        self.nb_man.dropped[cell_index] += len(text) - min(len(text), max(0, TEXT_LIMIT - held))
        return stream


def _is_full(outs: list[Any]) -> bool:
    return len(outs) >= _OUTPUTS_LIMIT or sum(map(size_of, outs)) >= CELL_LIMIT


def _joinable(outs: list[Any], name: str) -> Any:
    """Return the stream of that name at the end of the outputs, other streams passed over."""
    for output in reversed(outs):
        if output.output_type != "stream":
            return None
        if output.name == name:
            return output
    return None
