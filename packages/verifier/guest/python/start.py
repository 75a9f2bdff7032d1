"""The last lines before the snapshot: puts the pieces together and leaves one name behind."""

# What programs import, so that it is in the snapshot already.
import abc, array, bisect, calendar, cmath, collections, contextlib, copy, csv, dataclasses, datetime  # noqa: E401
import decimal, enum, fractions, functools, hashlib, heapq, itertools, math, numbers, operator, queue  # noqa: E401
import re, statistics, string, struct, textwrap, typing, unicodedata, bisect, secrets  # noqa: E401


def _start():
    harden = _Harden()
    sys.setrecursionlimit(10_000)
    harden.fix_chance()
    return harden


def _finish():
    """After boot, which still needs what is taken away here. Answers the one function that is kept."""
    asyncio._set_running_loop(None)
    harden = _harden
    harden.hide_host()
    _make_trials(harden)
    harden.hide_introspection()
    harden.learn()
    del globals()["_harden"]  # nothing but the runner leads to it
    return _make_runner(harden, _shims)


_harden = _start()
