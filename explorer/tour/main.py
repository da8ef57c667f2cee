"""Run the tour off-screen, in a profile of its own, and write its pictures and `tour.json`."""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from explorer.program import Program, application
from explorer.settings import Settings
from explorer.theme import apply_theme


def main(arguments: list[str]) -> int:
    """Return 0 when every stop did what it should; 1, with the reason, when one did not; 2 for wrong arguments."""
    options = _parsed(arguments)
    folder = Path(options.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"tour: {folder} cannot be made: {error.strerror}", file=sys.stderr)  # noqa: T201 - a command's answer
        return 1
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QT_SCALE_FACTOR"] = str(options.scale)
    app = application(["latent-explorer"])
    with tempfile.TemporaryDirectory(prefix="latent-explorer-tour-") as profile:
        settings = Settings(Path(profile) / "settings.ini")
        settings.theme = options.theme
        apply_theme(app, options.theme)
        return _walk(Program(settings, Path(profile)), folder, options)


def _walk(program: Program, folder: Path, options: argparse.Namespace) -> int:
    # The window's pictures are no use to a command that was called wrongly, so the stops are read only now.
    from explorer.tour.driver import Driver, TourError
    from explorer.tour.stops import Tour

    program.window.resize(options.width, options.height)
    driver = Driver(program.window, folder)
    tour = Tour(program, driver, epochs=options.epochs, say=_say)
    problem = ""
    try:
        tour.walk()
    except TourError as error:
        problem = str(error)
    finally:
        ended = tour.leave()
    report = {
        "pictures": driver.pictures,
        "measured": tour.measured,
        "problem": problem or tour.problem,
        "python": platform.python_version(),
        "theme": options.theme,
        "scale": options.scale,
    }
    (folder / "tour.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if report["problem"]:
        _say(1.0, "")
        print(f"tour: {report['problem']}", file=sys.stderr)  # noqa: T201 - a command's answer
    else:
        print(f"{len(driver.pictures)} pictures and tour.json are in {folder}")  # noqa: T201 - a command's answer
    status = 1 if report["problem"] else 0
    if not ended:
        sys.stdout.flush()
        os._exit(status)
    return status


def _say(fraction: float, text: str) -> None:
    """Show how far the tour is: a bar on a terminal, lines elsewhere."""
    if sys.stderr.isatty():
        filled = round(24 * fraction)
        sys.stderr.write(f"\r\033[K[{'#' * filled}{'.' * (24 - filled)}] {text}")
    elif text:
        sys.stderr.write(f"{fraction:4.0%} {text}\n")
    sys.stderr.flush()


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="latent-explorer tour",
        description="Drive the real window through open, drag, slide, draw and train; write numbered pictures and "
        "tour.json with what was measured.",
    )
    parser.add_argument("folder", metavar="DIR", help="where the pictures go")
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="the theme of most pictures")
    parser.add_argument("--scale", type=_scale, default=1.0, help="device pixels a pixel, 1 to 3 (2 is 200 %%)")
    parser.add_argument("--epochs", type=_epochs, default=3, help="epochs of training in view, 1 to 5")
    parser.add_argument("--width", type=_pixels, default=1440, help="width of the window in pixels")
    parser.add_argument("--height", type=_pixels, default=900, help="height of the window in pixels")
    return parser.parse_args(arguments)


def _scale(text: str) -> float:
    return _between(float(text), 1.0, 3.0)


def _epochs(text: str) -> int:
    return int(_between(int(text), 1, 5))


def _pixels(text: str) -> int:
    return int(_between(int(text), 800, 4000))


def _between(number: float, low: float, high: float) -> float:
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"must lie in [{low:g}, {high:g}], not {number:g}")
    return number
