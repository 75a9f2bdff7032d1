"""Sets `sys.maxsize` to its 64-bit value, which programs use as the largest number. Real sizes stay at 32 bits.

Runs in the namespace of `streams.py`.
"""

import compression._common._streams, functools, sys, types  # noqa: E401


def _widen_maxsize(real=sys.maxsize, new_cache=functools._lru_cache_wrapper):
    def cache_of(function, maxsize, *rest):
        return new_cache(function, None if maxsize is not None and maxsize > real else maxsize, *rest)

    functools._lru_cache_wrapper = cache_of
    compression._common._streams.sys = types.SimpleNamespace(maxsize=real)  # it reads this many bytes at once
    sys.maxsize = 2**63 - 1
