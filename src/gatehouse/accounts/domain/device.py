"""A browser and its system in words, from the header `User-Agent`."""

from typing import Final

# In this order, since most browsers also name those that they want to be taken for.
_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Trident/", "Internet Explorer"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("python-", "Python"),  # python-requests/, python-httpx/
    ("Go-http-client/", "Go"),
    ("okhttp/", "OkHttp"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def describe_device(user_agent: str | None) -> str | None:
    """As `Firefox on Windows`, for people to recognise their sessions by; None where nothing of it is known.

    It is what the client says of itself, and may be a lie: nothing is decided by it. An iPad that asks for pages made
    for computers says that it is a Mac. Plain searches for fixed words: no input is slow, as with patterns for
    versions.
    """
    words = [name for names in (_BROWSERS, _SYSTEMS) if (name := _first_in(user_agent or "", names))]
    return " on ".join(words) or None


def _first_in(user_agent: str, names: tuple[tuple[str, str], ...]) -> str | None:
    return next((name for token, name in names if token in user_agent), None)
