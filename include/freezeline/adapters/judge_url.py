"""Whether an address is one that Python's HTTP client can open; said without quoting it."""

import http.client
import re
import urllib.parse
import urllib.request

_OTHER_THAN_PLAIN = re.compile(r"[^\x21-\x7e]")
_MOST_PORT = 65_535


def url_fault(url: str) -> str | None:
    """Return what is wrong with the base of an API and what to write; None when nothing is."""
    if not url.startswith(("http://", "https://")):
        return "not an http:// or https:// URL (give the API's base)"
    if _OTHER_THAN_PLAIN.search(url):
        return "holds blanks, control or non-ASCII characters (write them as %20 and the like)"
    host = _host_of(url)
    if "@" in host:
        return "holds a user name or password (give a key in FREEZELINE_JUDGE_API_KEY instead)"
    if not _can_connect(host):
        return "names no host and port that can be opened (write https://host:port/v1)"
    return None


def _host_of(url: str) -> str:
    """Return host and port as the client reads them, which decodes them first; empty without."""
    try:
        # Reading the port is what checks it.
        _ = urllib.parse.urlsplit(url).port
    except ValueError:
        return ""
    return urllib.request.Request(url).host or ""  # noqa: S310 - the scheme has been checked


def _can_connect(host: str) -> bool:
    """Whether the client takes host and port; nothing is opened."""
    try:
        connection = http.client.HTTPConnection(host)
        connection.host.encode("idna")
    except (http.client.InvalidURL, ValueError):
        return False
    return bool(connection.host) and 0 < connection.port <= _MOST_PORT
