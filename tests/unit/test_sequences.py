import pytest

from gatehouse.accounts.infrastructure.sequences import is_sequence


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    "password",
    [
        pytest.param("abcdefghijklmno", id="upwards"),
        pytest.param("onmlkjihgfedcba", id="downwards"),
        pytest.param("aabbccddeeffgghhii", id="in pairs"),
        pytest.param("aaabbbcccdddeeefff", id="in threes"),
        pytest.param("a1b2c3d4e5f6g7h8", id="two at once"),
        pytest.param("A1b2C3d4E5f6G7h8", id="whatever the case"),
        pytest.param("20262027202820292030", id="years"),
        pytest.param("2026-2027-2028-2029", id="years with something between"),
        pytest.param("001 002 003 004 005 006", id="numbers"),
        pytest.param("abcdefgabcdefgabcdefg", id="a repeated part"),
        pytest.param("бвгдежзийклмнопр", id="another alphabet"),
        pytest.param("ab" * 64, id="any length"),
        pytest.param("abcdefghijk1x7q9", id="with six more characters"),
        pytest.param("abcde1x7", id="half of a short one"),
    ],
)
def test_what_counts_or_repeats_is_a_sequence(password: str) -> None:
    assert is_sequence(password)


@pytest.mark.parametrize(
    "password",
    [
        "violet kettle under thirteen maples",
        "banana bandana cabana",
        "Tq7#vZ2pLw9!xR4m",
        "abcdefgh and eight more",
        "abcdefghijk1x7q9wk",
        "xkhpugsm",
        "Vt4kmzRw",
        "mistletoe",
        "abc1x7q9",
        "пароль из слов",
        "火車が山を越えて静かな海へ向かう",
    ],
)
def test_other_passwords_are_none(password: str) -> None:
    assert not is_sequence(password)
