"""Secrets in the shapes that programs print: fragments, options of commands, rows of settings."""

import pytest

from runbook_nb.redaction import Redactor
from runbook_nb.redaction.patterns import PATTERNS

SECRET = "Kv9xxLmT4"


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://reader:Zq7@{SECRET}@127.0.0.1:5999/postgres",
        f"postgresql://reader:Zq7/{SECRET}@127.0.0.1:5999/postgres",
        f"postgresql://reader:Zq7?{SECRET}@127.0.0.1:5999/postgres",
        f"postgresql://reader:Zq7:{SECRET}@127.0.0.1:5999/postgres",
        f"postgresql://reader:Zq7%40{SECRET}@127.0.0.1:5999/postgres",
        f"postgresql://reader:Zq7#{SECRET}@127.0.0.1:5999/postgres",
        f"host=db user=reader password='Zq7 {SECRET}' dbname=x",
        f"host=db user=reader password={SECRET} dbname=x",
        f"mysql://root:{SECRET}&x@db/x",
    ],
)
@pytest.mark.parametrize(
    "message",
    [
        'could not translate host name "{0}@127.0.0.1" to address',
        'invalid integer value "{0}" for connection option "port"',
        'missing "=" after "{0}" in connection info string',
        "path /{0}",
    ],
)
def test_a_fragment_of_a_password_that_a_driver_quotes_is_masked(dsn, message):
    """The driver read the rest as a host, a port or a path."""
    assert SECRET not in Redactor([dsn]).mask(message.format(SECRET))


def test_an_ordinary_word_within_a_password_is_not_blanked_everywhere():
    """A record of production speaks of production."""
    text = "The production database of postgres answers."

    assert Redactor(["postgresql://u:pw-1@production:x@h/d"]).mask(text) == text


@pytest.mark.parametrize(
    "line",
    [
        f"backup --password {SECRET} --host db",
        f"backup --password={SECRET}",
        f"backup --db-password '{SECRET}'",
        f"tool --token {SECRET}",
        f"tool --api-key={SECRET}",
        f"curl -u admin:{SECRET} https://x",
        f"curl --user admin:{SECRET} https://x",
        f"PGPASSWORD={SECRET} psql -h db",
        f'export PGPASSWORD="{SECRET}"',
        f"mysql -h db -u root -p{SECRET}",
        f"sshpass: SSHPASS={SECRET}",
        f"redis-cli --secret {SECRET}",
    ],
)
def test_an_option_of_a_command_is_masked(line):
    """Whoever pastes what they ran."""
    assert SECRET not in Redactor().mask(line)


@pytest.mark.parametrize(
    "line",
    [
        "docker run -u 1000:1000 image",
        "sort -u file",
        "login --password-stdin",
        "mkdir -p /srv/data",
        "tool --token-file /run/token",
        "psql -U reader -h db",
        "The password is missing.",
    ],
)
def test_an_option_that_holds_no_secret_stays(line):
    """A record without its commands is worth little."""
    assert Redactor().mask(line) == line


@pytest.mark.parametrize(
    "value",
    [
        {"name": "db_password", "value": SECRET},
        {"key": "API_KEY", "value": SECRET},
        {"value": SECRET, "name": "STRIPE_SECRET"},
        [{"Name": "authorization", "Value": SECRET}],
        {"password": [SECRET, "x"]},
        {"password": {"old": SECRET, "new": SECRET}},
        {"passwords": {"list": [{"deep": SECRET}]}},
        {"password": SECRET.encode()},
        {"env": [{"name": "X", "value": 1}, {"name": "DB_PASSWORD", "value": SECRET}]},
    ],
)
def test_what_stands_under_a_name_of_a_secret_is_masked(value):
    """Whatever holds it: a text, a list, a row that names it in another entry."""
    assert SECRET not in str(Redactor().clean(value))


def test_a_number_under_a_password_is_masked_and_a_count_of_tokens_stays():
    """A code of six digits opens; a count of tokens is a measurement."""
    cleaned = Redactor().clean(
        {"pin_password": 483920, "tokens": 4096, "max_token": 5, "password": None, "secret": False}
    )

    assert 483920 not in cleaned.values()
    assert (cleaned["tokens"], cleaned["max_token"]) == (4096, 5)
    assert (cleaned["password"], cleaned["secret"]) == (None, False)


def test_no_pattern_takes_long_on_a_hostile_line():
    """Each repetition has an end."""
    text = "--password " * 3_000 + "-u " + "a" * 30_000 + ":" + "mysql " * 2_000
    for kind, pattern in PATTERNS:
        if kind == "command option":
            assert sum(1 for _ in pattern.finditer(text)) >= 0
