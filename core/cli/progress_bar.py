"""A progress bar of one line on a terminal, and a few plain lines where the output is no terminal."""

import math
import os
import sys
import time

REDRAWS_PER_SECOND = 10.0
PLAIN_LINES = 10
PLAIN_LINE_SECONDS = 2.0
_BAR_WIDTHS = (30, 20, 10)


class ProgressBar:
    """Shows the share done of one piece of work on the standard error; `say` prints lines above it."""

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        self._title = title
        self._quiet = quiet
        self._stream = sys.stderr
        self._is_terminal = self._stream.isatty()
        self._drawn = ""
        # Plain lines are for work that takes a while; a bar is there from the first call.
        self._drawn_at = time.monotonic() if not self._is_terminal else -math.inf
        self._plain_lines = 0

    def update(self, share: float, text: str = "") -> None:
        """Show the share done, 0..1, with a text behind it; cheap to call as often as one likes."""
        if self._quiet:
            return
        share = min(max(share, 0.0), 1.0)
        if not self._is_terminal:
            self._print_plainly(share, text)
            return
        now = time.monotonic()
        if share < 1.0 and now - self._drawn_at < 1.0 / REDRAWS_PER_SECOND:
            return
        self._drawn_at = now
        self._draw(line(self._title, share, text, self._width()))

    def say(self, text: str) -> None:
        """Print a line to the standard output, above the bar."""
        if self._quiet:
            return
        below = self._drawn
        self.clear()
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        self._draw(below)

    def complain(self, problem: str) -> None:
        """Print on the standard error what went wrong without ending the work; nothing where all is well again."""
        self.clear()
        if problem:
            self._stream.write(f"latent-explorer: {problem}; training goes on\n")
            self._stream.flush()

    def clear(self) -> None:
        """Take the bar off the terminal."""
        if self._drawn:
            self._draw("")
            self._stream.write("\r")
            self._stream.flush()

    def _draw(self, text: str) -> None:
        # Blanks instead of an escape sequence: they work on every terminal.
        self._stream.write("\r" + text.ljust(len(self._drawn)))
        self._stream.flush()
        self._drawn = text

    def _print_plainly(self, share: float, text: str) -> None:
        reached = int(share * PLAIN_LINES)
        now = time.monotonic()
        if reached > self._plain_lines and now - self._drawn_at >= PLAIN_LINE_SECONDS:
            self._plain_lines = reached
            self._drawn_at = now
            self._stream.write(f"{self._title}: {share:.0%}" + (f", {text}" if text else "") + "\n")
            self._stream.flush()

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            return 80


def line(title: str, share: float, text: str, width: int) -> str:
    """Return the bar with its texts in fewer than `width` characters: the bar shrinks first, then the text is cut."""
    percent = f"{share:4.0%}"
    for bar_width in (*_BAR_WIDTHS, 0):
        full = round(bar_width * share)
        bar = f"[{'=' * full}{' ' * (bar_width - full)}] " if bar_width else ""
        result = f"{title} {bar}{percent}" + (f"  {text}" if text else "")
        if len(result) < width:
            return result
    # A terminal that reports no width at all still gets the title.
    return result[: max(width - 1, 1)]


def duration(seconds: float) -> str:
    """Return seconds as 0:07, 3:15 or 1:02:45."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
