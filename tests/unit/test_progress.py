import io

import pytest
from rich.console import Console

from gatehouse.common.presentation.cli import progress
from gatehouse.common.presentation.cli.progress import ProgressReport, describe


def test_it_tells_rows_rate_share_and_time_left() -> None:
    assert describe(1_250_000, "rows", 0.25, 50.0) == "1 250 000 rows, 25 000 rows/s, 25%, 2:30 left"
    assert describe(1_250_000, "rows", 1.0, 50.0) == "1 250 000 rows, 25 000 rows/s, 100%, 0:00 left"


def test_of_a_stream_nobody_knows_how_much_is_left() -> None:
    assert describe(500, "rows", None, 5.0) == "500 rows, 100 rows/s"
    assert describe(0, "rows", 0.0, 0.0) == "0 rows, 0%"


def test_a_rate_below_one_a_second_says_nothing() -> None:
    assert describe(2, "measurements", 0.5, 8.0) == "2 measurements, 50%, 0:08 left"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    return now


def test_without_a_terminal_there_is_a_plain_line_every_few_seconds(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with ProgressReport() as report:
        for second in range(12):
            now[0] = 100.0 + second
            report.update(second * 1000, second / 20)

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "gatehouse: 5 000 rows, 1 000 rows/s, 25%, 0:15 left",
        "gatehouse: 10 000 rows, 1 000 rows/s, 50%, 0:10 left",
    ]


def test_where_it_is_not_to_be_shown_there_is_nothing(now: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressReport(is_shown=False) as report:
        now[0] = 200.0
        report.update(1000, 0.5)

    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=screen, force_terminal=True, width=100))

    with ProgressReport() as report:
        report.update(1000, 0.5)
        report.close()

    assert "1 000 rows" in screen.getvalue()
    assert "━" in screen.getvalue()
