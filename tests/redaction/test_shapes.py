"""Secrets in the shapes that programs print: fragments, options of commands, rows of settings."""

from datetime import UTC, datetime

import pytest

from runbook_nb.redaction import Redactor
from runbook_nb.redaction.patterns import PATTERNS
from runbook_nb.timeline.events import Changed

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
        f"tool --pass {SECRET} -v",
        f"tool --password '{SECRET} and more'",
        f"redis-cli -h db -a {SECRET} ping",
        f"sshpass -p {SECRET} ssh host",
        f"docker login -u u -p {SECRET} registry",
        f"ldapsearch -D cn=x -w {SECRET}",
        f"smbclient -U u%{SECRET} //h/s",
        f"curl -uadmin:{SECRET} https://x",
        f"curl -b session={SECRET} https://x",
        f"curl -H 'X-Auth-Token: {SECRET}' https://x",
        f"openssl rsa -passin pass:{SECRET}",
        f"kubectl create secret generic s --from-literal=db={SECRET}",
        f"aws configure set aws_secret_access_key {SECRET}",
        f"gh auth login --with-token <<< {SECRET}",
        f"echo {SECRET} | docker login --password-stdin",
        f"sqlplus scott/{SECRET}@db",
        f"alter role x with password '{SECRET}'",
        f"create user x identified by '{SECRET}'",
        f"machine h login u password {SECRET}",
        f"The password is {SECRET}.",
        f"<password>{SECRET}</password>",
        f'<add key="DbPassword" value="{SECRET}"/>',
        f"DB_PASS={SECRET}",
        f"secret_key_base: {SECRET}",
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
        "docker run -p 8080:80 image",
        "docker compose -p project up",
        "curl -a x -b cookies.txt https://x",
        "sort -k 2 file | zip -P",
        "Checks: pass 3, fail 1; Verdict.PASS: Tone.GOOD",
        "mysql -P 3306 -u reader",
        "rsync -av --password-file=/run/secret from:/x to/",
        "The secret is kept in the vault of staging.",
        "A password of the reader and a token of the agent.",
        "one pin: 3 times, mapping: 12",
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
        {"NAME": "DB_PASSWORD", "VALUE": SECRET},
        {"k": "password", "v": SECRET},
        {"column": "password", "before": SECRET, "after": SECRET},
        {"kind": "Secret", "stringData": {"db": SECRET}},
        {"columns": ["name", "password"], "rows": [["u", SECRET]]},
        {"headers": [["Authorization", SECRET]]},
        {"headers": [("X-Api-Key", SECRET)]},
        ["--password", SECRET],
        ["mysql", "-u", "root", f"-p{SECRET}"],
        ["curl", "-u", f"admin:{SECRET}", "https://x"],
        {"db_pass": SECRET},
        {"tokens": [SECRET]},
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
    text = (
        "--password " * 3_000
        + "-u "
        + "a" * 30_000
        + ":"
        + "mysql " * 2_000
        + "sshpass curl " * 1_000
    )
    for kind, pattern in PATTERNS:
        if kind in ("command option", "command password", "written secret", "one-time code"):
            assert sum(1 for _ in pattern.finditer(text)) >= 0


def test_the_title_of_a_step_is_no_name_of_a_secret_beside_it():
    """Our own events hold a title, what was before and what is after."""
    event = Changed(
        at=datetime(2026, 1, 1, tzinfo=UTC), verb="check", title="Password", before="a", after="b"
    )
    cleaned = Redactor().clean(event)

    assert (cleaned["title"], cleaned["before"], cleaned["after"]) == ("Password", "a", "b")


def test_what_is_counted_by_its_verdict_stays():
    """A pass is no password."""
    value = {"pass": 14, "warn": 0, "verdict": "pass", "auth": {"url": "https://x.example"}}

    assert Redactor().clean(value) == value
