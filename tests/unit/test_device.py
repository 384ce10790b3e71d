from time import process_time

import pytest

from gatehouse.accounts.domain.device import describe_device

MOZILLA = "Mozilla/5.0"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = "(Windows NT 10.0; Win64; x64)"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        (f"{MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"{MOZILLA} (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox on Android"),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 18_5 like Mac OS X) FxiOS/140.0 Mobile Safari/605.1", "Firefox on iPhone"),
        (f"{MOZILLA} {WINDOWS} {WEBKIT} Chrome/138.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{MOZILLA} (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/138.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
        (f"{MOZILLA} (Linux; Android 10; K) {WEBKIT} Chrome/138.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        (f"{MOZILLA} (iPad; CPU OS 18_5 like Mac OS X) CriOS/138.0 Mobile/15E148 Safari/604.1", "Chrome on iPad"),
        (f"{MOZILLA} {WINDOWS} {WEBKIT} Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0", "Edge on Windows"),
        (f"{MOZILLA} (Linux; Android 10; K) {WEBKIT} Chrome/138.0 Safari/537.36 EdgA/138.0", "Edge on Android"),
        (f"{MOZILLA} {WINDOWS} {WEBKIT} Chrome/137.0.0.0 Safari/537.36 OPR/121.0.0.0", "Opera on Windows"),
        (
            f"{MOZILLA} (Linux; Android 10; K) {WEBKIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15", "Safari on macOS"),
        (f"{MOZILLA} (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer on Windows"),
        ("curl/8.14.1", "curl"),
        ("python-httpx/0.28.1", "Python"),
        (f"{MOZILLA} (Windows NT 10.0)", "Windows"),
        ("a browser", None),
        ("", None),
        (None, None),
    ],
)
def test_a_device_is_told_in_words(user_agent: str | None, device: str | None) -> None:
    assert describe_device(user_agent) == device


def test_what_a_client_sends_is_in_no_description() -> None:
    assert describe_device("<script>Firefox/1 on\n Windows</script>") == "Firefox on Windows"


def test_a_hostile_user_agent_takes_no_time() -> None:
    began_at = process_time()

    for hostile in ("Mozilla/5.0 (" * 50_000, "Edge" * 100_000, "Chrome" * 100_000 + "/"):
        describe_device(hostile)

    assert process_time() - began_at < 5
