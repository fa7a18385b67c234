"""What a project says of its service, and what is wrong with it in one sentence."""

import pytest

from runbook_nb.authoring.reference.topics import topics
from runbook_nb.errors import ParameterError, ProjectError, SettingMissingError
from runbook_nb.project import Project
from runbook_nb.service.settings import KEYS, ServiceSettings

WHOLE = """
[store]
dsn = "env:STORE"
[serve]
at_most = 2
again_after_s = 60
attempts = 1
hand_over = ["kubectl", "create"]
[serve.environments]
default = "staging"
label = "cluster"
[serve.sources.pagerduty]
secret = "env:PD_SECRET"
"""


def read(tmp_path, text):
    (tmp_path / "runbook.toml").write_text(text)
    return ServiceSettings.read(Project.read(tmp_path))


def test_everything_that_can_be_said_is_read(tmp_path, monkeypatch):
    """With the defaults where nothing is."""
    found = read(tmp_path, WHOLE)
    assert (found.at_most, found.again_after_s, found.attempts) == (2, 60, 1)
    assert (found.environment, found.label) == ("staging", "cluster")
    assert found.hand_over == ("kubectl", "create")
    assert found.secret_of("alertmanager") is None
    monkeypatch.setenv("PD_SECRET", "something long")
    assert found.secret_of("pagerduty") == "something long"

    plain = read(tmp_path, '[store]\ndsn = "env:STORE"\n')
    assert (plain.at_most, plain.again_after_s, plain.attempts) == (4, 900, 3)
    assert (plain.environment, plain.label) == ("", "environment")


def test_every_setting_of_the_service_is_documented_and_no_other():
    """The reference stands below the service and cannot read them."""
    (page,) = topics((), {}, names=["service"])
    assert {entry.name for entry in page.entries} == KEYS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[store]\ntimelines = true\n", "name one that all reach"),
        ('[store]\ndsn = "postgresql://a:b@c/d"\n', "must be a reference"),
        ('[store]\ndsn = "env:S"\ndns = 1\n', "dns"),
        ('[store]\ndsn = "env:S"\n[serve]\nat_least = 1\n', "at_most"),
        ('[store]\ndsn = "env:S"\n[serve]\nat_most = 0\n', "above 0"),
        ('[store]\ndsn = "env:S"\n[serve]\nsources = 1\n', "write a table"),
        ('[store]\ndsn = "env:S"\n[serve.sources.pagerdutty]\nsecret = "env:A"\n', "pagerduty"),
        (
            '[store]\ndsn = "env:S"\n[serve.sources.grafana]\nsecret = "abc"\n',
            "must be a reference",
        ),
        ('[store]\ndsn = "env:S"\n[serve.sources.grafana]\ntoken = "env:A"\n', "secret"),
        ("store = 1", "store are tables"),
        ('[store]\ndsn = "env:S"\ntimelines = "yes"\n', "write true or false"),
        ('[store]\ndsn = "env:S"\nfiles = "ftp://host/x"\n', "a folder from / on, or one of s3://"),
        ('[store]\ndsn = "env:S"\n[serve.schedule]\nvalidate = "at night"\n', "0 3 "),
        ('[store]\ndsn = "env:S"\n[serve.schedule]\nvalidates = "0 3 * * *"\n', "validate"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, said):
    """Before anything listens."""
    with pytest.raises((ParameterError, SettingMissingError, ProjectError), match=said):
        read(tmp_path, text)
