"""Python's own import statement, in place of the one that PySide6 puts there."""

import builtins


def use_plain_imports() -> None:
    """Import PySide6 and take back what it has put in place of Python's `__import__`.

    PySide6's reads the source of every module that is imported after it, to find out whether that wants one of its
    `__feature__`s, which nothing here does, and keeps the text: a fifth of the time of all imports, 48 MB with torch.
    """
    import PySide6.QtCore  # noqa: F401, PLC0415 - what replaces `__import__`

    original = getattr(builtins, "__orig_import__", None)
    if original is not None:
        builtins.__import__ = original
