"""What the network or a server did to a download, in words."""

import re

_MEANINGS = {"403": " (forbidden)", "404": " (not found)", "407": " (the proxy wants a password)"}


def network_reason(cause: BaseException) -> str:
    """Say what happened, where `cause` is about the network; otherwise return nothing."""
    import requests.exceptions as kinds

    text = str(cause)
    host = _host(text)
    status = re.search(r"HTTP code: (\d+)|too many (\d+) error", text)
    if status:
        code = status.group(1) or status.group(2)
        return f"the server {host}answered {code}{_MEANINGS.get(code, '')}"
    if not isinstance(cause, kinds.RequestException):
        return ""
    if "IncompleteRead" in text or "prematurely" in text:
        return "the connection broke in the middle of a file"
    slow = re.search(r"too slow: (\d+ bytes in \d+ s)", text)
    if slow:
        return f"the server {host}is too slow ({slow[1]})"
    for kind, reason in (
        (kinds.ProxyError, "the proxy could not be reached (HTTP_PROXY, HTTPS_PROXY)"),
        (kinds.SSLError, f"the certificate of the server {host}was refused (REQUESTS_CA_BUNDLE names your own)"),
        (kinds.ConnectTimeout, f"the server {host}did not answer"),
        (kinds.TooManyRedirects, "the address leads to another, and that to another, without an end"),
    ):
        if isinstance(cause, kind):
            return reason
    return f"the server {host}stalled" if "timed out" in text.lower() else f"the server {host}could not be reached"


def _host(text: str) -> str:
    host = re.search(r"https?://([^/\s:]+)|host='([^']+)'", text)
    return f"{host.group(1) or host.group(2)} " if host else ""
