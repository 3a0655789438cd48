"""Requests to stop: the first lets a step end and its state be saved, the second ends at once.

Signals are taken by a thread that does nothing else. A handler would run on whatever thread is
there, on top of oneDNN's generated code, which does not always survive it.
"""
import os
import signal
import threading

INCOMPLETE, INTERRUPTED = 75, 130  # exit statuses, the same as lazymar_eval's
SIGNALS = (signal.SIGTERM, signal.SIGINT)

_requests = []  # names of the signals that have come


class Stopped(Exception):  # noqa: N818  (asked for, not an error)
    """Work ends here on request; what it holds is the signal's name."""


def watch_signals():
    """To be called before any other thread is there: threads inherit which signals they leave."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    threading.Thread(target=_take_signals, daemon=True).start()


def _take_signals():
    _requests.append(signal.Signals(signal.sigwait(SIGNALS)).name)
    signal.sigwait(SIGNALS)
    os._exit(INTERRUPTED)


def stop_if_asked():
    """Raises Stopped after a request; for places where nothing is half done."""
    if _requests:
        raise Stopped(_requests[0])
