"""Bounds on the downloads of tensorflow-datasets, which has no time-outs of its own.

tensorflow-datasets downloads through `requests`, waits for ever for a server that stalls, and tries a server that
fails eleven times, for minutes. It takes no argument for either, but it takes its transport from
`requests.adapters.HTTPAdapter` whenever it downloads: `bounded` puts one with bounds there while a block runs.
Proxies and certificates are those of `requests` (HTTPS_PROXY, REQUESTS_CA_BUNDLE).
"""

import contextlib
import dataclasses
import functools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

_ALONE = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Limits:
    """How patient a download is.

    Attributes:
        connect_seconds: wait this long for a connection.
        stall_seconds: wait this long for the next bytes.
        slowest_bytes_per_second: give up a server that sends less, taken over `stall_seconds`.
        retries: try again this often, after 0, 1, 2, ... seconds, when a connection or the server (5xx) fails.
    """

    connect_seconds: float = 15
    stall_seconds: float = 60
    slowest_bytes_per_second: float = 1000
    retries: int = 3

    @property
    def answer_seconds(self) -> float:
        """Wait this long for the whole head of an answer, all attempts together."""
        return (self.retries + 1) * (self.connect_seconds + self.stall_seconds) + self.retries**2


class NotInManualFolderError(Exception):
    """A file was asked for that the `manual_dir` does not have."""


@contextlib.contextmanager
def bounded(limits: Limits, *, offline: bool) -> Iterator[list[str]]:
    """Bound every download that tensorflow-datasets starts in the block; one block runs at a time.

    Yields:
        The URLs that are asked for; the list grows while the block runs.

    Args:
        limits: the bounds.
        offline: refuse every download with `NotInManualFolderError`.

    Yields:
        The URLs that are asked for; the list grows while the block runs.
    """
    import requests.adapters
    import requests.exceptions
    from urllib3.exceptions import ReadTimeoutError
    from urllib3.util import Retry

    asked: list[str] = []
    with _ALONE:
        plain: Any = requests.adapters.HTTPAdapter

        def stream(raw: Any, url: str, amount: int, decode_content: bool | None = None) -> Iterator[bytes]:
            """As `urllib3.HTTPResponse.stream`, but it gives up a server that is too slow."""
            looked, received = time.monotonic(), 0
            while chunk := raw.read1(amount, decode_content=decode_content):
                yield chunk
                received += len(chunk)
                passed = time.monotonic() - looked
                if passed >= limits.stall_seconds:
                    if received < limits.slowest_bytes_per_second * passed:
                        said = f"{url} is too slow: {received} bytes in {passed:.0f} s"
                        raise ReadTimeoutError(raw, url, said)
                    looked, received = time.monotonic(), 0

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
                answer: Future[Any] = Future()

                def ask() -> None:
                    try:
                        answer.set_result(plain.send(self, request, *arguments, **options))
                    except BaseException as error:
                        answer.set_exception(error)

                # Time-outs are for one byte: a server that drips bytes resets them for ever.
                threading.Thread(target=ask, name="download", daemon=True).start()
                try:
                    response = answer.result(limits.answer_seconds)
                except TimeoutError as error:
                    raise requests.exceptions.ReadTimeout(f"{request.url} timed out") from error
                response.raw.stream = functools.partial(stream, response.raw, response.url)
                return response

        requests.adapters.HTTPAdapter = Bounded  # type: ignore[misc, assignment] # this is what is to be replaced
        try:
            yield asked
        finally:
            requests.adapters.HTTPAdapter = plain  # type: ignore[misc]
