"""Requests to stop: the first ends after a step and saves its state, the second ends at once.

A dedicated thread receives signals. A handler could interrupt any thread in oneDNN's generated
code, which may then crash.
"""
import os
import signal
import threading

INCOMPLETE, INTERRUPTED = 75, 130  # exit statuses, the same as lazymar_eval's
SIGNALS = (signal.SIGTERM, signal.SIGINT)

_requests = []  # names of the received signals


class Stopped(Exception):  # noqa: N818  (requested, not an error)
    """Ends work on request; contains the signal's name."""


def watch_signals():
    """Call it before any other thread exists: threads inherit the mask of blocked signals."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    threading.Thread(target=_take_signals, daemon=True).start()


def _take_signals():
    _requests.append(signal.Signals(signal.sigwait(SIGNALS)).name)
    signal.sigwait(SIGNALS)
    os._exit(INTERRUPTED)


def stop_if_asked():
    """Raises Stopped after a request. Call it only between complete pieces of work."""
    if _requests:
        raise Stopped(_requests[0])
