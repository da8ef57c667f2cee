"""The picture under the hand first: what has changed is painted before anything else has its turn."""

from PySide6.QtCore import QCoreApplication, QEvent


def paint_now() -> None:
    """Paint what has changed in every window of the program, panels that float among them, instead of in a later turn.

    Where a movement is followed: answers of other threads would else be shown first, and what they change be painted
    together with what the hand waits for.  Where such an answer is shown: a movement that comes before its painting
    would else wait for that.

    Only to be called by what the event loop itself has called, while a hand moves something: never while a widget is
    painted, made or taken away.
    """
    QCoreApplication.sendPostedEvents(None, QEvent.Type.UpdateRequest.value)
