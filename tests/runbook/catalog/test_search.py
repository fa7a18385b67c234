"""Finding the runbook that fits."""

import pytest

from runbook_nb.runbook.catalog import search
from runbook_nb.runbook.catalog.search_words import words


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("p95 heartbeat", "heartbeat_failure_recovery"),
        ("SSEHeartbeatLagHigh", "heartbeat_failure_recovery"),
        ("hartbeat", "heartbeat_failure_recovery"),
        ("errors after deploy", "rollback_procedure"),
        ("ROWS GONE", "supabase_backup_restore"),
        ("gemini throttles", "gemini_api_quota_exhaustion"),
    ],
)
def test_a_symptom_or_an_alert_finds_its_runbook(entries, query, name):
    """Case, plurals, compound names and a wrong letter do not matter."""
    assert search(query, entries())[0].entry.name == name


def test_a_hit_says_which_sentence_matched(entries):
    """The reader judges the reason, not the score."""
    best = search("p95 heartbeat", entries())[0]

    assert best.reasons[0].place == "Symptoms"
    assert best.reasons[0].text == 'The alert "heartbeat above 8 s p95" fires.'


def test_the_text_of_an_alert_counts_too(entries):
    """As the monitoring words it."""
    summaries = {"WalArchiveGap": "The archive lacks a segment."}

    best = search("segment lacking", entries(), summaries=summaries)[0]

    assert best.entry.name == "supabase_backup_restore"
    assert best.reasons[0].text == "WalArchiveGap: The archive lacks a segment."


def test_what_cannot_be_run_stands_behind_what_can(entries, put):
    """A retired runbook of the same words comes later."""
    put("old_rollback", archived=True, scenario="Rollback of a release.", title="Old Rollback")

    names = [hit.entry.name for hit in search("rollback of a release", entries())]

    assert names.index("rollback_procedure") < names.index("old_rollback")


@pytest.mark.parametrize("query", ["zzzzqqqq", "", "the of", "!?", "\x00", "🙈"])
def test_a_query_without_a_known_word_finds_nothing(entries, query):
    """Rather than everything."""
    assert search(query, entries()) == []


def test_words_are_taken_apart():
    """A name written together is several words."""
    assert words("SSEHeartbeatLagHigh oauth_token p95") == [
        "sse",
        "heartbeat",
        "lag",
        "high",
        "oauth",
        "token",
        "p95",
    ]
