"""A map of codes in matplotlib, as a usual program would write it: codes over a mosaic, a handle, what it decodes to.

Run by the environment of the peers, not by the project's: `python matplotlib_window.py CONTENT.npz WAY`, where WAY is
`draw_idle` (whatever changed, the figure is drawn anew) or `blit` (the map is kept as a picture, as matplotlib's manual
has it for what must be quick).  For each line on its input, a number of seconds, it drags the handle so long, 125 real
mouse events a second, and prints the median of milliseconds from an event to the end of the paint that shows it.
"""

# mypy: ignore-errors
import math
import os
import sys
import time

os.environ["QT_API"] = "PySide6"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from matplotlib import __version__ as matplotlib_version
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from PySide6.QtCore import QEventLoop, QObject, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

content, WAY = np.load(sys.argv[1]), sys.argv[2]
MOUSE_GAP_MS = 8
NEAR_PX = 12
noise = np.random.default_rng(0)
layers = [
    (content[f"decoder.layers.{index}.weight"].T.copy(), content[f"decoder.layers.{index}.bias"])
    for index in range(sum(name.startswith("decoder.") for name in content.files) // 2)
]


def decoded(codes):
    """Return the pictures of codes, (N, 28, 28)."""
    value = codes.astype(np.float32)
    for weight, bias in layers[:-1]:
        value = value @ weight + bias
        value = 0.5 * value * (1.0 + np.tanh(0.7978846 * (value + 0.044715 * value**3)))
    weight, bias = layers[-1]
    return (0.5 + 0.5 * np.tanh(0.5 * (value @ weight + bias))).reshape(-1, *content["shape"])


def mosaic(low, high, columns, rows):
    """Return the pictures of a grid of codes as one."""
    size = (high - low) / (columns, rows)
    z1 = low[0] + size[0] * (np.arange(columns) + 0.5)
    z2 = high[1] - size[1] * (np.arange(rows) + 0.5)
    tiles = decoded(np.stack(np.meshgrid(z1, z2), axis=-1).reshape(-1, 2))
    height, width = tiles.shape[1:]
    return tiles.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)


class Canvas(FigureCanvasQTAgg):
    """A canvas that knows when it was painted."""

    def paintEvent(self, event):  # noqa: N802 - Qt's name
        """Paint; whatever the mouse did before is seen now."""
        super().paintEvent(event)
        window.on_painted()


class Window(QObject):
    """The figure, what happens when its handle is dragged, and the mouse that does it."""

    def __init__(self):
        super().__init__()
        width, height, mean_side, draw_side = (int(value) for value in content["pixels"])
        whole = width + mean_side + draw_side
        figure = Figure(figsize=(whole / 100, height / 100), dpi=100)
        self.canvas = Canvas(figure)
        self.map = figure.add_axes((0.05 * width / whole, 0.06, 0.94 * width / whole, 0.92))
        low, high = content["low"], content["high"]
        picture = mosaic(low, high, *(int(value) for value in content["grid"]))
        extent = (low[0], high[0], low[1], high[1])
        self.map.imshow(picture, extent=extent, cmap="gray_r", alpha=0.4, aspect="auto")
        points = self.map.scatter(*content["codes"].T, c=content["labels"], s=5, cmap="tab10", linewidths=0)
        self.map.legend(*points.legend_elements(num=None), loc="upper right")
        for sigma in (1, 2, 3):
            self.map.add_patch(Circle((0.0, 0.0), sigma, fill=False, ec="gray"))
            self.map.text(sigma * 0.71, sigma * 0.71, f"{sigma}σ", ha="center", va="center")
        moving = WAY == "blit"
        (self.handle,) = self.map.plot(*content["handle"], "o", ms=14, mec="white", c="C6", animated=moving)
        mean = decoded(content["handle"][None])[0]
        self.pictures = []
        for left, side in ((width, mean_side), (width + mean_side, draw_side)):
            beside = figure.add_axes((left / whole, 1.0 - side / height, side / whole, side / height))
            beside.set_axis_off()
            self.pictures.append(beside.imshow(mean, cmap="gray", vmin=0.0, vmax=1.0, animated=moving))
        self.picture, self.draw = self.pictures
        self.map.set_xlim(*extent[:2])
        self.map.set_ylim(*extent[2:])
        self.dragging = False
        self.background = None
        self.sent, self.waited, self.angle = [], [], 0.0
        self.canvas.mpl_connect("button_press_event", self.on_press)
        self.canvas.mpl_connect("motion_notify_event", self.on_motion)
        self.canvas.mpl_connect("button_release_event", self.on_release)
        if moving:
            self.canvas.mpl_connect("draw_event", self.on_draw)
        self.timer = QTimer(self, interval=MOUSE_GAP_MS, timerType=Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self.move)
        self.canvas.resize(whole, height)
        self.canvas.show()

    def on_press(self, event):
        """Take hold of the handle where the mouse is near it."""
        x, y = self.map.transData.transform((self.handle.get_xdata()[0], self.handle.get_ydata()[0]))
        self.dragging = math.hypot(event.x - x, event.y - y) < NEAR_PX

    def on_release(self, _event):
        """Let go."""
        self.dragging = False

    def on_motion(self, event):
        """Put the handle under the mouse, and show what its code decodes to."""
        if not self.dragging or event.inaxes is not self.map:
            return
        self.handle.set_data([event.xdata], [event.ydata])
        mean = decoded(np.array([[event.xdata, event.ydata]]))[0]
        self.picture.set_data(mean)
        self.draw.set_data(noise.random(mean.shape) < mean)
        if self.background is None:
            self.canvas.draw_idle()
            return
        self.canvas.restore_region(self.background)
        self.draw_moving()
        self.canvas.blit(self.canvas.figure.bbox)

    def on_draw(self, _event):
        """Keep what does not move."""
        self.background = self.canvas.copy_from_bbox(self.canvas.figure.bbox)
        self.draw_moving()

    def draw_moving(self):
        """Draw handle and pictures over the rest."""
        for artist in (self.handle, *self.pictures):
            artist.axes.draw_artist(artist)

    def on_painted(self):
        """Note how long it took since each event."""
        now = time.perf_counter()
        self.waited += [1e3 * (now - at) for at in self.sent]
        self.sent = []

    def handle_pixel(self):
        """Return where the handle is, in the widget's pixels."""
        x, y = self.map.transData.transform((self.handle.get_xdata()[0], self.handle.get_ydata()[0]))
        return QPoint(round(x), round(self.canvas.height() - y))

    def move(self):
        """Move the mouse on, and with it the handle."""
        box = self.map.bbox
        self.angle += 0.011
        x = 0.5 * (box.x0 + box.x1) + 0.36 * box.width * math.sin(3 * self.angle)
        y = 0.5 * (box.y0 + box.y1) + 0.36 * box.height * math.sin(2 * self.angle)
        self.sent.append(time.perf_counter())
        QTest.mouseMove(self.canvas, QPoint(round(x), round(self.canvas.height() - y)))

    def wait(self, seconds):
        """Let events be handled for a while."""
        loop = QEventLoop()
        QTimer.singleShot(round(1e3 * seconds), loop.quit)
        loop.exec()

    def drag(self, seconds):
        """Return the median milliseconds of a drag."""
        before = np.array(self.picture.get_array())
        self.sent, self.waited = [], []
        QTest.mousePress(self.canvas, Qt.MouseButton.LeftButton, pos=self.handle_pixel())
        self.timer.start()
        self.wait(seconds)
        self.timer.stop()
        QTest.mouseRelease(self.canvas, Qt.MouseButton.LeftButton, pos=self.handle_pixel())
        if np.allclose(before, self.picture.get_array()):
            raise RuntimeError("nothing was dragged")
        return float(np.median(self.waited))


app = QApplication(["matplotlib"])
app.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, on=False)
window = Window()
window.wait(1.0)
print(f"matplotlib {matplotlib_version}, QtAgg, {WAY}", flush=True)
for line in sys.stdin:
    print(window.drag(float(line)), flush=True)
if len(sys.argv) > 3:
    window.canvas.grab().save(sys.argv[3])
