"""Runs last before the snapshot: applies the guards and leaves one name, `_finish`, for the seal."""

# Modules that programs import, so that the snapshot contains them.
import abc, array, bisect, calendar, cmath, collections, contextlib, copy, csv, dataclasses, datetime  # noqa: E401
import decimal, enum, fractions, functools, hashlib, heapq, itertools, math, numbers, operator, queue  # noqa: E401
import re, statistics, string, struct, textwrap, typing, unicodedata, bisect, secrets  # noqa: E401


def _start():
    harden = _Harden()
    sys.setrecursionlimit(10_000)
    harden.fix_chance()
    return harden


def _finish():
    """Runs when the interpreter is sealed, because the boot needs what is removed here. Returns the job function."""
    asyncio._set_running_loop(None)
    harden = _harden
    harden.hide_host()
    _make_trials(harden)
    harden.hide_introspection()
    harden.learn()
    del globals()["_harden"]  # now only the closures of the runner lead to it
    return _make_runner(harden, _shims)


_harden = _start()
