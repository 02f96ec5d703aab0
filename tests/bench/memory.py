"""How much memory a process has, by its own word."""

from __future__ import annotations

import re
from urllib.request import ProxyHandler, build_opener

from tests.bench.figures import NotMeasured

_RESIDENT = re.compile(r"^process_resident_memory_bytes (\S+)$", re.MULTILINE)
_SECONDS = 10.0


def resident_megabytes(url: str) -> float:
    """Of the worker whose metrics are at `url`.

    Raises:
        NotMeasured: it does not say.
    """
    with build_opener(ProxyHandler({})).open(f"{url}/metrics", timeout=_SECONDS) as response:
        found = _RESIDENT.search(response.read().decode())
    if found is None:
        raise NotMeasured("the worker's metrics don't say how much memory it has")
    return float(found[1]) / 1e6
