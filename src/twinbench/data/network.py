"""Bounds on the downloads of tensorflow-datasets, which has no time-outs of its own.

tensorflow-datasets downloads through `requests`, waits for ever for a server that stalls, and tries a server that
fails eleven times, for minutes. It takes no argument for either, but it takes its transport from
`requests.adapters.HTTPAdapter` whenever it downloads: `bounded` puts one with bounds there while a block runs.
Proxies and certificates are those of `requests` (HTTPS_PROXY, REQUESTS_CA_BUNDLE).
"""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

_ALONE = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Limits:
    """How patient a download is.

    Attributes:
        connect_seconds: wait this long for a connection.
        stall_seconds: wait this long for the next bytes.
        retries: try again this often, after 0, 1, 2, ... seconds, when a connection or the server (5xx) fails.
    """

    connect_seconds: float = 15
    stall_seconds: float = 60
    retries: int = 3


class NotInManualFolderError(Exception):
    """A file was asked for that the `manual_dir` does not have."""


@contextlib.contextmanager
def bounded(limits: Limits, *, offline: bool) -> Iterator[list[str]]:
    """Bound every download that tensorflow-datasets starts in the block; one block runs at a time.

    Args:
        limits: the bounds.
        offline: refuse every download with `NotInManualFolderError`.

    Yields:
        The URLs that are asked for; the list grows while the block runs.
    """
    import requests.adapters
    from urllib3.util import Retry

    asked: list[str] = []
    with _ALONE:
        plain: Any = requests.adapters.HTTPAdapter

        class Bounded(plain):  # type: ignore[misc] # found at run time
            """The transport of `requests` with bounds."""

            def __init__(self, **_: Any) -> None:
                failing = [500, 502, 503, 504]
                retry = Retry(total=limits.retries, backoff_factor=0.5, status_forcelist=failing, redirect=10)
                super().__init__(max_retries=retry)

            def send(self, request: Any, *arguments: Any, **options: Any) -> Any:
                asked.append(request.url)
                if offline:
                    raise NotInManualFolderError(request.url)
                options["timeout"] = (limits.connect_seconds, limits.stall_seconds)
                return super().send(request, *arguments, **options)

        requests.adapters.HTTPAdapter = Bounded  # type: ignore[misc, assignment] # this is what is to be replaced
        try:
            yield asked
        finally:
            requests.adapters.HTTPAdapter = plain  # type: ignore[misc]
