from scripts.draw_modules import DOCUMENT, draw_into


def test_the_diagram_shows_the_imports_as_they_are() -> None:
    document = DOCUMENT.read_text()
    assert document == draw_into(document), "run .venv/bin/python -m scripts.draw_modules"
