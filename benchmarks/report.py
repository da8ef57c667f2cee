"""Rows of a benchmark's result: one JSON line each, which `./run bench` gathers into a table."""

import json
from typing import Literal


def row(
    promise: str, measured: float, limit: float | None, unit: str, better: Literal["less", "more"] = "less"
) -> bool:
    """Print one measured promise as a JSON line; return whether it is kept.

    `limit` is the worst value that still keeps the promise; None only informs (a peer's number, a cold start).
    `better` says on which side of the limit the promise is kept.
    """
    kept = limit is None or (measured <= limit if better == "less" else measured >= limit)
    line = {"promise": promise, "measured": measured, "limit": limit, "unit": unit, "better": better, "kept": kept}
    print(json.dumps(line), flush=True)
    return kept
