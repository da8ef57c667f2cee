"""What the command line accepts; names, ranges and defaults of the settings come from their declarations."""

import argparse
import shutil
import textwrap
from collections.abc import Iterable

from core.config import SECTIONS, ExperimentConfig, find_setting
from core.settings import Setting

SETTABLE_NOWHERE = {
    "source": "--data names it",
    "image_height": "the data decides it",
    "image_width": "the data decides it",
    "num_levels": "the grey_levels of a categorical likelihood decide it",
}

TRAIN = (
    "Train a model and write it to a file.  Ctrl-C ends the run and keeps what there is; --resume goes on from there."
)
EVALUATE = (
    "Write a model's held-out means, in nats per image, as JSON: elbo, nll, kl, log_px (or log_px_estimate for more "
    "than two latent dimensions), approximation_gap, amortisation_gap, mutual_information, marginal_kl, active_units, "
    "and how each was found.  "
    "What the model does not define is null, with the reason beside it."
)
CONVERT = (
    "Make a model file of PyTorch's weights: a state_dict in a .pt, .pth or .ckpt file, of a fully connected VAE or "
    "autoencoder.  The file is read by a process of its own, with limits, that runs nothing from it.  What is not in "
    "the file is set with --set: activation, image_height and image_width of pictures that are not square."
)


class UsageError(Exception):
    """Arguments that make no sense; the message says which and what is allowed."""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `train`, `evaluate` and `convert`."""
    parser = argparse.ArgumentParser(prog="main.py", description="Train, evaluate and convert models without a window.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, add_arguments, description, epilog in (
        ("train", _add_train, TRAIN, _settings_help()),
        ("evaluate", _add_evaluate, EVALUATE, ""),
        ("convert", _add_convert, CONVERT, ""),
    ):
        command = commands.add_parser(
            name,
            help=description,
            description="\n".join(textwrap.wrap(description, _help_width())),
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        add_arguments(command)
    return parser


def changed_settings(config: ExperimentConfig, given: Iterable[str]) -> ExperimentConfig:
    """Return the configuration with each `key=value` applied.  Raises UsageError or ConfigError."""
    return config.with_values(given_settings(given))


def given_settings(given: Iterable[str], settable: Iterable[str] = ()) -> dict[str, str]:
    """Return the values of each `key=value` by its key; `settable` names what is decided by data otherwise.

    Raises UsageError or, for a name that is no setting's, ConfigError.
    """
    values: dict[str, str] = {}
    for text in given:
        key, separator, value = text.partition("=")
        if not separator:
            raise UsageError(f"--set needs key=value, not {text!r}")
        _, declared = find_setting(key.strip())
        if declared.name in SETTABLE_NOWHERE and declared.name not in settable:
            raise UsageError(f"{declared.name} cannot be set: {SETTABLE_NOWHERE[declared.name]}")
        values[key.strip()] = value.strip()
    return values


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", metavar="DATA", help="mnist, shapes, or the path of an IDX, npy, npz file or a folder of pictures"
    )
    parser.add_argument(
        "--out", metavar="FILE", required=True, help="the model file to write, at epochs' ends (.safetensors)"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="change a setting; can be given many times",
    )
    parser.add_argument(
        "--resume",
        metavar="PATH",
        help="train this model on, its settings holding but for those given with --set; or go on with an interrupted "
        "run, in the folder that it left beside --out",
    )
    parser.add_argument("--force", action="store_true", help="overwrite the file that --out names")
    parser.add_argument(
        "--without-optimiser",
        action="store_true",
        help="leave out the optimiser's state: a third of the size, but training goes on from it less smoothly",
    )
    parser.add_argument("--quiet", action="store_true", help="print errors only")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="the model file")
    parser.add_argument(
        "--data",
        metavar="DATA",
        help="mnist, shapes or a path, imported with the choices stored in the model; the model's own data if left out",
    )
    parser.add_argument("--json", metavar="FILE", default="-", help="where the JSON goes; - is the standard output")
    parser.add_argument("--seed", type=int, default=0, help="decides the noise of the estimates (default: 0)")
    parser.add_argument(
        "--samples",
        metavar="K",
        type=int,
        default=1000,
        help="samples of each image where log p(x) is an importance-weighted estimate (default: 1000)",
    )
    parser.add_argument(
        "--log-px-images",
        metavar="N",
        type=int,
        help="held-out images over which log p(x) is found, a seeded subset; 0 leaves it out "
        "(default: all where it is exact, 500 where it is an estimate)",
    )
    parser.add_argument(
        "--gap-images",
        metavar="N",
        type=int,
        help="held-out images over which approximation and amortisation gap are found; 0 leaves them out "
        "(default: 500 for up to two latent dimensions, 0 for more)",
    )
    parser.add_argument("--quiet", action="store_true", help="print errors only, and the JSON if it goes to -")


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="IN", help="the file of PyTorch's weights")
    parser.add_argument("out", metavar="OUT", help="the model file to write (.safetensors)")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="what the file does not say, as activation=tanh; can be given many times (train --help lists all)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite the file OUT")
    parser.add_argument("--quiet", action="store_true", help="print errors only")


def _settings_help() -> str:
    """Return a paragraph for each setting: name, default, what it is and what it takes."""
    lines = ["settings, as --set KEY=VALUE or, should two share a name, --set SECTION.KEY=VALUE:"]
    for section, declares in SECTIONS.items():
        lines += ["", f"{section}:"]
        for declared in declares.settings():
            if declared.name not in SETTABLE_NOWHERE:
                lines += _setting_help(declared)
    return "\n".join(lines)


def _setting_help(declared: Setting) -> list[str]:
    declaration = declared.declaration
    unit = f" {declaration.unit}" if declaration.unit else ""
    allowed = "yes or no" if declared.type is bool else declaration.allowed
    whole = "whole numbers " if declared.type is tuple else "whole number " if declared.type is int else ""
    text = f"{declaration.help} ({whole}{allowed})"
    indented = textwrap.wrap(text, _help_width(), initial_indent=" " * 6, subsequent_indent=" " * 6)
    return [f"  {declared.name} = {shown_value(declared.default)}{unit}", *indented]


def shown_value(value: object) -> str:
    """Return a setting's value as --set takes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    # All digits, unlike with :g, since a recipe must give the same model again.
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _help_width() -> int:
    return max(40, min(shutil.get_terminal_size().columns - 2, 110))
