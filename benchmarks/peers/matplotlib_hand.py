"""The hand in a matplotlib window of the same content as the program's, and what it is to the program's own."""

import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.environment import MATPLOTLIB, Peer, peers_python
from benchmarks.report import row
from core.saved_model import SavedModel
from core.storage.model_file import load_model
from explorer.program import Program
from explorer.session.scene import mosaic_request
from resources import resource

SECONDS, TURNS = 4.0, 3
TIMES = 60.0


def beside_matplotlib(program: Program, ours_ms: float) -> None:
    """Print how long the hand waits in matplotlib, idle, and how often the program's own median goes into it.

    The shipped model, the codes, the extent of the map and the sizes of map and picture are the program's; its rings,
    its legend and the rest of its window have nothing beside them.
    """
    python = peers_python(MATPLOTLIB)
    event = "mouse event to decoded picture painted, idle, p50"
    with tempfile.TemporaryDirectory(prefix="latent-explorer-bench-") as folder:
        content = Path(folder) / "content.npz"
        write_content(program, content)
        drawn, blitted = (waited_ms(python, content, way) for way in ("draw_idle", "blit"))
    row(f"{event}, matplotlib's QtAgg window of the same content, draw_idle", drawn, None, "ms")
    row(f"{event}, the same window with blitting", blitted, None, "ms")
    row(f"{event}, times quicker than matplotlib with draw_idle", drawn / ours_ms, TIMES, "×", "more")
    row(f"{event}, times quicker than matplotlib with blitting", blitted / ours_ms, None, "×", "more")


def waited_ms(python: Path, content: Path, way: str) -> float:
    """Return the median milliseconds of the drags of one window."""
    with Peer(python, "matplotlib_window.py", str(content), way) as peer:
        print(peer.text, flush=True)
        for _ in range(TURNS):
            peer.take(SECONDS)
    return statistics.median(peer.rates)


def write_content(program: Program, path: Path) -> None:
    """Write what the program's window shows: codes, where its mosaic lies, its decoder, and its handle."""
    canvas, latent, hand = program.views.canvas, program.session.latent, program.views.hand
    saved = load_model(resource("models", "mnist-2d.safetensors"))
    codes, handle = latent.codes, latent.selected_code
    request = mosaic_request(canvas.view.extent, saved.config.model, latent.axes, latent.base_code)
    if codes is None or codes.labels is None or handle is None or request is None:
        raise RuntimeError("the window does not show codes, mosaic and handle")
    arrays: dict[str, Any] = {
        "codes": codes.mean,
        "labels": codes.labels,
        "handle": handle,
        "low": request.low,
        "high": request.high,
        "grid": (request.columns, request.rows),
        "shape": (saved.config.model.image_height, saved.config.model.image_width),
        "pixels": (canvas.width(), canvas.height(), hand.deterministic.width()),
    }
    np.savez(path, **arrays, **_decoder_of(saved))


def _decoder_of(saved: SavedModel) -> dict[str, Any]:
    return {name: array for name, array in saved.weights.items() if name.startswith("decoder.")}
