import pytest

from gatehouse.accounts.infrastructure.keyboard_walks import is_keyboard_walk


@pytest.mark.promise("P14")
@pytest.mark.parametrize(
    "password",
    [
        pytest.param("zaq12wsxcde34rfvbgt5", id="up and down the columns"),
        pytest.param("1qaz2wsx3edc4rfv", id="columns downwards"),
        pytest.param("vfr4cde3xsw2zaq1", id="columns upwards"),
        pytest.param("qazwsxedcrfvtgbyhn", id="columns of letters"),
        pytest.param("zse4xdr5cft6vgy7", id="the other diagonals"),
        pytest.param("qwertyuiopasdfghjkl", id="rows"),
        pytest.param("lkjhgfdsapoiuytrewq", id="rows, backwards"),
        pytest.param("qwsaqwsazxcvfdsew", id="small changes of direction"),
        pytest.param("1234567890qwertyuiop", id="the row of digits"),
        pytest.param("!QAZ2wsx#EDC4rfv", id="with shift"),
        pytest.param("Qwerty Uiop Asdf Gh", id="with spaces"),
        pytest.param("qwertyuiopasdfgh2024!", id="with a year"),
        pytest.param("qwertyuiopTq7#vZ", id="with six other keys"),
        pytest.param("qwertzuiopü+asdfghjklöä", id="German"),
        pytest.param("azertyuiopqsdfghjklm", id="French"),
        pytest.param("йцукенгшщзхъфывапролд", id="Russian"),
        pytest.param("qw12er34ty56ui78", id="pairs of keys"),
        pytest.param("qwertyuiop" * 12, id="any length"),
        pytest.param("qwerty1m", id="most of a short one"),
    ],
)
def test_a_few_walks_from_key_to_key_make_a_keyboard_walk(password: str) -> None:
    assert is_keyboard_walk(password)


@pytest.mark.parametrize(
    "password",
    [
        "violet kettle under thirteen maples",
        "were there trees on the pier",
        "qwerty and eight other things",
        "qwertyuiopTq7#vZ2",
        "qwplzxomghtyvbkl",
        "properly",
        "m4asd9Xk",
        "Tq7#vZ2pLw9!xR4m",
        "пароль из слов",
        "火車が山を越えて静かな海へ向かう",
    ],
)
def test_other_passwords_are_none(password: str) -> None:
    assert not is_keyboard_walk(password)
