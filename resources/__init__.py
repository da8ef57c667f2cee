"""Files the program ships, found through one function."""

from pathlib import Path

_ROOT = Path(__file__).parent


def resource(*parts: str) -> Path:
    """Return the path of a shipped file.  Raises FileNotFoundError naming it when it is not there."""
    path = _ROOT.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"the program's own file {path} is missing: install it again")
    return path
