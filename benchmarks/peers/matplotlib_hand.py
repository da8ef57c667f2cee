"""The hand in a matplotlib window of the same content as the program's, and what it is to the program's own."""

import contextlib
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.driving import MouseWatch, path_of_handle, quantile
from benchmarks.peers.environment import MATPLOTLIB, Peer, peers_python
from benchmarks.report import row
from core.saved_model import SavedModel
from core.storage.model_file import load_model
from explorer.program import Program
from explorer.session.scene import mosaic_request
from explorer.tour.driver import Driver
from resources import resource

SECONDS, TURNS = 3.0, 5
WAYS = {"draw_idle": 60.0, "blit": None}
"""How a window draws what has changed, and how much quicker than that the program is to be."""


def beside_matplotlib(program: Program, driver: Driver) -> None:
    """Print how long the hand waits in matplotlib, idle, and how often the program's own wait goes into it.

    Program and peers take turns; of each the median of its turns' medians is printed, and that of the ratios.  Model,
    codes, extent and sizes of map and pictures are the program's; the rest of its window has nothing beside it.
    """
    python = peers_python(MATPLOTLIB)
    ours: list[float] = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="latent-explorer-bench-"))
        content = Path(folder) / "content.npz"
        write_content(program, content)
        peers = {way: stack.enter_context(Peer(python, "matplotlib_window.py", str(content), way)) for way in WAYS}
        for _ in range(TURNS):
            ours.append(waited_ms(program, driver))
            for peer in peers.values():
                peer.take(SECONDS)
        for peer in peers.values():
            print(peer.text, flush=True)
    event = "mouse event to decoded picture painted, idle, p50"
    row(f"{event}, in turns with matplotlib", statistics.median(ours), None, "ms")
    for way, peer in peers.items():
        row(
            f"{event}, matplotlib's QtAgg with the same map and pictures, {way}",
            statistics.median(peer.rates),
            None,
            "ms",
        )
        times = statistics.median(theirs / own for theirs, own in zip(peer.rates, ours, strict=True))
        row(f"{event}, times quicker than matplotlib, {way}", times, WAYS[way], "×", "more")


def waited_ms(program: Program, driver: Driver) -> float:
    """Drag the program's own handle; return the median milliseconds from an event to its paint."""
    canvas, path = program.views.canvas, path_of_handle(program)
    driver.press(canvas, next(path))
    watch = MouseWatch(canvas, path, program.views.hand.deterministic, canvas)
    watch.start()
    driver.wait(round(1e3 * SECONDS))
    watch.stop()
    driver.wait(50)
    driver.release(canvas, next(path))
    return quantile(watch.from_event, 0.5)


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
        "pixels": (canvas.width(), canvas.height(), hand.deterministic.width(), hand.stochastic.width()),
    }
    np.savez(path, **arrays, **_decoder_of(saved))


def _decoder_of(saved: SavedModel) -> dict[str, Any]:
    return {name: array for name, array in saved.weights.items() if name.startswith("decoder.")}
