"""The scoreboard as HTML for the window, as text and as CSV."""

import csv
import html
import io
import math
from collections.abc import Sequence

from core.findings.scoreboard import ScoreboardEntry, grouped
from explorer.theme import Palette
from explorer.views.readouts import number

COLUMNS = ("Model", "Kind", "Likelihood", "K", "−log p(x), nats", "±", "bits/dim", "Images", "How")
_REMOVE = "remove:"
EMPTY = (
    "No rows yet. “Add to scoreboard” finds −log p(x) of the open model over held-out images: exact for one or two "
    "latent dimensions and for autoregressive models, an importance-weighted estimate for all others."
)
LASTS = "Rows last until the program ends."


def cells(entry: ScoreboardEntry) -> tuple[str, ...]:
    """Return what a row shows, column by column."""
    nll, error, bits = entry.nll, entry.nll.standard_error, entry.bits_per_dim
    return (
        entry.name,
        entry.model,
        entry.likelihood,
        "none" if entry.latent_dim is None else str(entry.latent_dim),
        ("≤ " if nll.is_estimate else "") + (number(nll.nll) if math.isfinite(nll.nll) else "not finite"),
        "" if error is None or not math.isfinite(error) else f"{error:.2f}",
        "" if bits is None or not math.isfinite(bits) else f"{bits:.4f}",
        f"{nll.num_images:,}" if nll.num_images == nll.of_images else f"{nll.num_images:,} of {nll.of_images:,}",
        nll.how,
    )


def board_html(entries: Sequence[ScoreboardEntry], colours: Palette) -> str:
    """Return the rows in groups, each with why it stands apart; a row's last cell takes it away."""
    if not entries:
        return f'<p style="color: {colours.muted_text}">{EMPTY}</p>'
    places = {id(entry): place for place, entry in enumerate(entries)}
    parts = []
    for group in grouped(entries):
        parts.append(f"<p><b>{html.escape(group.key.title)}</b>")
        sentences = [text for text in (group.why_apart, group.note) if text]
        if sentences:
            parts.append(f'<br><span style="color: {colours.muted_text}">{html.escape(" ".join(sentences))}</span>')
        parts.append('</p><table cellspacing="0" cellpadding="3"><tr>')
        parts += [_cell("th", index, name, colours.muted_text) for index, name in enumerate(COLUMNS)]
        parts.append("<th></th></tr>")
        for entry in group.entries:
            row = [_cell("td", index, text, colours.text) for index, text in enumerate(cells(entry))]
            remove = f'<td>&nbsp;<a href="{_REMOVE}{places[id(entry)]}">Remove</a></td>'
            parts += ["<tr>", *row, remove, "</tr>"]
        parts.append("</table>")
    parts.append(f'<p style="color: {colours.muted_text}">{LASTS}</p>')
    return "".join(parts)


def board_text(entries: Sequence[ScoreboardEntry]) -> str:
    """Return the groups with their sentences and rows, cells separated by tabs."""
    lines = []
    for group in grouped(entries):
        lines += [text for text in (group.key.title, group.why_apart, group.note) if text]
        lines += ["\t".join(COLUMNS), *("\t".join(cells(entry)) for entry in group.entries), ""]
    return "\n".join(lines)


def board_csv(entries: Sequence[ScoreboardEntry]) -> str:
    """Return one line a row with all digits, and with what the row can be compared with."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        [
            *("model", "kind", "likelihood", "latent_dim", "nll_nats", "standard_error", "bits_per_dim", "num_images"),
            *("of_images", "how", "num_samples", "error_bar", "split", "data", "data_fingerprint", "pixels", "measure"),
        ]
    )
    for group in grouped(entries):
        for entry in group.entries:
            nll, key = entry.nll, entry.group
            writer.writerow(
                [
                    *(entry.name, entry.model, entry.likelihood, entry.latent_dim, nll.nll, nll.standard_error),
                    *(entry.bits_per_dim, nll.num_images, nll.of_images, nll.how, nll.num_samples, nll.error_bar),
                    *(key.split, key.data, key.data_fingerprint, key.pixels, key.measure),
                ]
            )
    return buffer.getvalue()


def row_to_remove(address: str) -> int | None:
    """Return the row that a link takes away; None for any other link."""
    number_text = address.removeprefix(_REMOVE)
    return int(number_text) if address.startswith(_REMOVE) and number_text.isdecimal() else None


def _cell(tag: str, index: int, text: str, colour: str) -> str:
    align = "right" if index in (3, 4, 5, 6, 7) else "left"
    style = f"color: {colour}; padding-right: 10px; white-space: nowrap"
    return f'<{tag} align="{align}" style="{style}">{html.escape(text)}</{tag}>'
