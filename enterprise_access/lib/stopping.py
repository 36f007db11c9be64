"""Whether this worker was told to stop. What takes long looks here between two steps, and leaves the rest to others.

SIGTERM reaches the parent of a worker's processes alone (a container), or all of them at once (systemd, a terminal).
Either way no call to an upstream service is cut off: the step in hand ends, and is recorded.
"""

import mmap
import signal
import threading
from typing import Any, Final

from billiard.process import current_process

# Shared with every process that is forked after this line: the parent writes it, the processes of its pool read it.
_FLAG: Final = mmap.mmap(-1, 1)

_are_signals_heard = False


def begin() -> None:
    """Ask this process, its parent and its siblings to end what they do soon."""
    _FLAG[0] = 1


def forget() -> None:
    """Take `begin` back."""
    _FLAG[0] = 0


def is_stopping() -> bool:
    """Say whether nothing new is to be begun."""
    return _FLAG[0] == 1


def hear_signals() -> None:
    """Let the first SIGTERM to a process of a worker's pool mean `begin`, and the next one what it meant before.

    The pool sets a handler of its own, which ends the process on the spot, after every hook that it has. So this is
    called when a task begins. Anywhere else than in such a process it does nothing.
    """
    global _are_signals_heard
    is_of_pool = current_process().name != "MainProcess"
    if _are_signals_heard or not is_of_pool or threading.current_thread() is not threading.main_thread():
        return
    _are_signals_heard = True
    before = signal.getsignal(signal.SIGTERM)

    def on_first(*_signal: Any) -> None:
        begin()
        signal.signal(signal.SIGTERM, before)

    signal.signal(signal.SIGTERM, on_first)
