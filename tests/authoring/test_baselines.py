"""A team's baseline: taken, compared by its meaning, accepted with a reason and an end."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from runbook_nb.authoring.baselines import accept, compare, parts_in_use, take, taken_lines
from runbook_nb.errors import BaselineError
from runbook_nb.probes.baseline import Difference, Part, baseline_file, read_baseline
from runbook_nb.probes.environment import Environment
from runbook_nb.project import Project

AT = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
TODAY = AT.date()


def _limits(systems):
    rows = systems.database("shop").rows("select name, value from limits")
    return {row["name"]: row["value"] for row in rows}


def _differing(systems, committed):
    """A limit means its number: 5 and 5.0 are one."""
    live = _limits(systems)
    return [
        Difference(item=name, committed=committed.get(name), found=live.get(name))
        for name in sorted(live.keys() | committed.keys())
        if name not in live or name not in committed or float(live[name]) != float(committed[name])
    ]


LIMITS = Part(
    name="limits",
    about="What the shop allows.",
    take=_limits,
    differing=_differing,
    brought={"orders": "5", "refunds": "2"},
)


class Shop:
    """A shop with a database, and the project that keeps its baseline."""

    def __init__(self, folder):
        (folder / "runbook.toml").write_text("", encoding="utf-8")
        self.project = Project.read(folder)
        self.database = folder / "shop.db"
        self.tell("create table limits (name text primary key, value text)")
        self.tell("insert into limits values ('orders', '5'), ('refunds', '2')")
        reader = {"reader": f"sqlite:///{self.database}"}
        self.environment = Environment("staging", {"kind": "staging", "shop": reader})

    def tell(self, statement):
        with sqlite3.connect(self.database) as connection:
            connection.execute(statement)

    def take(self, *, anew=False, at=AT):
        return take(self.project, [LIMITS], of=self.environment, by="ada", at=at, anew=anew)

    def differing(self, today=TODAY):
        (compared,) = compare(self.project, [LIMITS], of=self.environment, today=today)
        return compared

    def accept(self, *items, until=None):
        return accept(
            *(self.project, LIMITS, items),
            of=self.environment,
            because="RUN-91",
            by="ada",
            at=AT,
            until=until,
        )

    @property
    def kept(self):
        file = baseline_file(self.project, environment="staging", part="limits")
        return read_baseline(file, environment="staging", part="limits")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNBOOK_PROJECT", str(tmp_path))
    return Shop(tmp_path)


def items_of(compared):
    return [(each.item, each.kind) for each in compared.differences]


def test_without_a_baseline_the_packs_own_word_counts(shop):
    shop.tell("update limits set value = '9' where name = 'orders'")
    compared = shop.differing()
    assert not compared.own
    assert items_of(compared) == [("orders", "changed")]


def test_what_is_taken_is_what_counts(shop):
    """Nothing differs then, and the taker is told where the pack says otherwise."""
    shop.tell("update limits set value = '9' where name = 'orders'")
    shop.tell("insert into limits values ('gifts', '1')")
    (taken,) = shop.take()
    assert taken.items == 3
    assert [each.item for each in taken.unlike_the_packs] == ["gifts", "orders"]
    assert "look at it" in "\n".join(taken_lines(taken))
    assert shop.differing().own
    assert items_of(shop.differing()) == []
    shop.tell("delete from limits where name = 'gifts'")
    assert items_of(shop.differing()) == [("gifts", "missing")]


def test_other_words_for_the_same_are_no_difference(shop):
    shop.take()
    shop.tell("update limits set value = '5.0' where name = 'orders'")
    assert items_of(shop.differing()) == []


def test_a_baseline_is_not_overwritten_by_mistake(shop):
    shop.take()
    shop.tell("update limits set value = '9' where name = 'orders'")
    with pytest.raises(BaselineError, match="Already taken"):
        shop.take()
    assert shop.kept.items["orders"] == "5"
    shop.take(anew=True)
    assert shop.kept.items["orders"] == "9"


def test_what_is_accepted_has_an_end(shop):
    """Until the end of that day it is as committed; after it, what was right before counts."""
    shop.take()
    shop.tell("update limits set value = '9' where name = 'orders'")
    shop.accept("orders", until=TODAY + timedelta(days=3))
    assert items_of(shop.differing()) == []
    assert shop.kept.committed(TODAY + timedelta(days=3))["orders"] == "9"
    assert shop.kept.committed(TODAY + timedelta(days=4))["orders"] == "5"
    assert shop.kept.ended(TODAY + timedelta(days=4))["orders"].because == "RUN-91"
    assert items_of(shop.differing()) == []
    shop.tell("update limits set value = '10' where name = 'orders'")
    assert items_of(shop.differing()) == [("orders", "changed")]


def test_what_is_accepted_without_an_end_is_right_from_then_on(shop):
    """It stays visible who said so; what is gone is not expected any more."""
    shop.take()
    shop.tell("delete from limits where name = 'refunds'")
    shop.accept("refunds")
    assert items_of(shop.differing()) == []
    assert shop.kept.items == {"orders": "5"}
    assert [(each.item, each.by) for each in shop.kept.changes] == [("refunds", "ada")]
    shop.tell("insert into limits values ('refunds', '2')")
    assert items_of(shop.differing()) == [("refunds", "not committed")]


@pytest.mark.parametrize(
    ("items", "until", "said"),
    [
        (("orders", "refund"), None, "'refund' does not differ"),
        (("orders",), TODAY - timedelta(days=1), "is over"),
    ],
)
def test_a_wrong_acceptance_changes_nothing(shop, items, until, said):
    shop.take()
    shop.tell("update limits set value = '9' where name = 'orders'")
    before = shop.kept
    with pytest.raises(BaselineError, match=said):
        shop.accept(*items, until=until)
    assert shop.kept == before


def test_nothing_is_accepted_into_no_baseline(shop):
    with pytest.raises(BaselineError, match="runbook baseline take limits -e staging"):
        shop.accept("orders")


def test_an_item_that_holds_a_secret_is_not_written(shop):
    shop.tell("insert into limits values ('hook', 'Bearer sk_live_51H8xkJq2Zp0aVbNcRtY7wLm')")
    (taken,) = shop.take()
    assert taken.left_out == ["hook"]
    assert "sk_live" not in baseline_file(
        shop.project, environment="staging", part="limits"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not one"),
        ('{"part": "limits"}', "environment: Field required"),
        ("[]", "is not one"),
    ],
)
def test_a_broken_baseline_is_named_and_nothing_is_compared(shop, text, said):
    (taken,) = shop.take()
    taken.file.write_text(text, encoding="utf-8")
    with pytest.raises(BaselineError, match=said):
        shop.differing()


def test_a_baseline_of_another_environment_is_refused(shop):
    (taken,) = shop.take()
    told = json.loads(taken.file.read_text(encoding="utf-8"))
    taken.file.write_text(json.dumps({**told, "environment": "production"}), encoding="utf-8")
    with pytest.raises(BaselineError, match="'production'"):
        shop.differing()


def test_an_environment_cannot_lead_elsewhere(shop):
    with pytest.raises(BaselineError, match="no name of a folder"):
        baseline_file(shop.project, environment="../../etc", part="limits")


def test_a_platform_that_cannot_be_read_leaves_no_file(shop):
    shop.tell("drop table limits")
    with pytest.raises(sqlite3.OperationalError):
        shop.take()
    assert shop.kept is None


def test_an_unknown_part_is_said_with_near_names():
    with pytest.raises(BaselineError, match="policies"):
        parts_in_use(["policys"])
    assert "jobs" in {part.name for part in parts_in_use()}
