"""`convert`: a model file from PyTorch's weights."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from core.cli.arguments import UsageError, given_settings
from core.cli.output import checked_out
from core.storage.foreign.conversion import convert
from core.storage.model_file import save_model

_SETTABLE = ("image_height", "image_width")


def convert_file(options: argparse.Namespace, command_line: str) -> int:
    """Write the model file that the arguments ask for and say what was taken for what; return the exit status."""
    source, out = Path(options.source), checked_out(Path(options.out), "OUT", force=options.force)
    if out.exists() and source.exists() and out.samefile(source):
        raise UsageError(f"OUT would overwrite the weights {options.source!r}; name another file")
    given = given_settings(options.settings, _SETTABLE)
    found = convert(source, given)
    saved = replace(found.saved, provenance={**found.saved.provenance, "command": command_line})
    save_model(out, saved)
    if not options.quiet:
        model = saved.config.model
        widths = "-".join(map(str, (model.num_pixels, *model.hidden, model.latent_dim)))
        sys.stdout.write(f"{model.model} {widths}: {found.note}\n")
    return 0
