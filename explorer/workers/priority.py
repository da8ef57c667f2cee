"""Give way to the window: the priority of a computing thread."""

import os
import sys
import threading

from PySide6.QtCore import QThread

_NICENESS = 10


def lower_priority(thread: QThread) -> None:
    """Lower the calling thread below the GUI thread, once: an ordinary user cannot raise it again."""
    if sys.platform == "linux":
        # On Linux a thread has a nice value of its own; Qt's priorities do nothing under the default policy.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
    else:
        thread.setPriority(QThread.Priority.LowPriority)
