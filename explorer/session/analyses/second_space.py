"""The latent space of the model that the open one is compared with: a latent space like any, with a single handle."""

from core.shapes import Code
from core.snapshots import Codes
from explorer.session.latent import LatentSession


class SecondSpace(LatentSession):
    """Its one handle follows that of the open model, and leads it when it is taken hold of."""

    def follow(self, code: Code, image: int | None) -> None:
        """Put the handle on a code, of an image of the data or none, as what happens elsewhere asks for."""
        if self.config is not None and len(code) == self.config.latent_dim:
            self._handles.clear()
            self._handles.add(code, image)
            # The program's own choice, but no longer to be put amid the data.
            self._handles.touched = True
            self._moved()

    def row_of(self, image: int | None) -> int | None:
        """Return the row of an image's code among those shown; None when it is not among them."""
        return self._data.row_of(image)

    def image_of(self, row: int, codes: Codes | None) -> int | None:
        """Return the image behind a row of codes, if it is one of the half that is shown here."""
        own = self.codes
        if codes is None or own is None or codes.split != own.split or not 0 <= row < len(codes):
            return None
        return int(codes.indices[row])

    def _on_point_grabbed(self, row: int, a: float, b: float) -> None:
        super()._on_point_grabbed(row, a, b)
        self._keep_selected()

    def _on_handle_add_requested(self, a: float, b: float) -> None:
        super()._on_handle_add_requested(a, b)
        self._keep_selected()

    def _keep_selected(self) -> None:
        for id_ in [id_ for id_, _ in self._handles if id_ != self._handles.selected]:
            self._handles.remove(id_)
        self._show_handles()
