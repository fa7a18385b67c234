"""Dashboards on the real lab: how old, recounted, as committed, and as their viewers get them."""

from datetime import timedelta

import psycopg
import pytest

from runbook_nb.errors import NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.packs.control_plane.systems import dashboards, metric_views

pytestmark = pytest.mark.slow

AGE, JOB = dashboards.refresh_age(), dashboards.refresh_job()
ALTERED = dashboards.altered()
RECOUNT, CHANGED = metric_views.recount(), metric_views.changed()
UNUSUAL = dashboards.unusual(span=timedelta(days=1), weeks=3)


@pytest.fixture
def fault(lab, request):
    """Inject the fault that the test names, and heal it after."""
    FAULTS[request.param].inject(lab)
    yield FAULTS[request.param]
    FAULTS[request.param].heal(lab)


def rights(lab):
    """Return everybody's rights on the funnel and its dashboard."""
    statement = """
        select relname, relacl::text from pg_class
        where relname in ('adoption_funnel', 'adoption_funnel_mv') order by relname
    """
    with psycopg.connect(Lab(lab.folder).dsn()) as connection:
        return connection.execute(statement).fetchall()


def injected(*names):
    return pytest.mark.parametrize("fault", names, indirect=True)


def test_a_healthy_lab_passes_every_reading(hands):
    """Young, running, right, as committed, whole and usual."""
    assert hands.value(AGE) < 26
    assert hands.value(JOB) == "runs"
    assert hands.value(RECOUNT) == hands.value(CHANGED) == hands.value(ALTERED) == 0
    assert hands.value(UNUSUAL) < 3


@pytest.mark.holds("dashboards.release_job")
@pytest.mark.holds("metric_views.refresh", undo=False)
@injected("refresh_stopped")
@pytest.mark.usefixtures("fault")
def test_a_held_job_is_released_and_the_views_refreshed(hands):
    """The refresh is told by an event, by which its age is known."""
    assert hands.value(AGE) > 26
    action = dashboards.release_job()
    assert hands.rehearse(action)["released"]
    result = hands.do(action)
    assert hands.value(JOB) == "runs"
    with pytest.raises(NothingDoneError):
        hands.do(action)
    hands.undo(action, result)
    assert hands.value(JOB) == "held"
    rehearsed = hands.rehearse(metric_views.refresh())["would be refreshed"]
    assert [row["may be refreshed"] for row in rehearsed] == [True] * 5
    hands.do(metric_views.refresh())
    assert hands.value(AGE) < 1


@injected("refresh_stopped.failing")
@pytest.mark.usefixtures("fault")
def test_a_job_that_fails_is_no_job_that_runs(hands):
    """Its runs are there, and none ended well."""
    assert hands.value(JOB) == "fails"
    assert hands.value(AGE) > 26


@pytest.mark.holds("metric_views.rebuild")
@injected("figures_doubled")
@pytest.mark.usefixtures("fault")
def test_a_changed_view_is_rebuilt_with_all_that_hangs_on_it(hands, lab):
    """Definition, index, dashboard and grants; the undo brings the wrong figures back."""
    assert hands.value(RECOUNT) >= 1
    assert hands.value(CHANGED) == 1
    held = rights(lab)
    action = metric_views.rebuild()
    assert hands.rehearse(action)["views that differ after"] == []
    result = hands.do(action)
    assert hands.value(RECOUNT) == hands.value(CHANGED) == hands.value(ALTERED) == 0
    assert rights(lab) == held
    with psycopg.connect(Lab(lab.folder).dsn()) as connection:
        statement = "refresh materialized view concurrently adoption_funnel_mv"
        connection.execute(statement)
    hands.undo(action, result)
    assert hands.value(CHANGED) == 1


@injected(
    "figures_doubled.status_word", "figures_doubled.nulls_as_zero", "figures_doubled.time_zone"
)
@pytest.mark.usefixtures("fault")
def test_a_changed_word_null_or_zone_shows_in_the_figures(hands):
    """Each is told by its figures, and by its definition."""
    assert hands.value(RECOUNT) >= 1
    assert hands.value(CHANGED) == 1


@injected("view_respelled")
@pytest.mark.usefixtures("fault")
def test_a_view_that_is_only_spelled_otherwise_is_left(hands):
    """It is listed, its figures are right, and nothing is rebuilt."""
    found = hands.read(CHANGED)
    assert found.value == 0
    assert found.detail == [{"view": "executive_summary_mv", "rows that are others": 0}]
    with pytest.raises(NothingDoneError):
        hands.do(metric_views.rebuild())


@pytest.mark.holds("dashboards.restore_views")
@injected("dashboard_hides")
@pytest.mark.usefixtures("fault")
def test_a_dashboard_that_hides_rows_is_put_back(hands):
    """An analyst gets all rows again."""
    assert hands.value(ALTERED) == 1
    action = dashboards.restore_views()
    hands.rehearse(action)
    assert hands.value(ALTERED) == 1
    result = hands.do(action)
    assert hands.value(ALTERED) == 0
    hands.undo(action, result)
    assert hands.value(ALTERED) == 1


@injected("dashboard_hides.figures")
@pytest.mark.usefixtures("fault")
def test_a_dashboard_that_reckons_by_itself_is_altered(hands):
    """Every row is shown, and one figure is another."""
    found = hands.read(ALTERED)
    assert found.value == 1
    row = next(row for row in found.detail if row["altered"])
    assert row["rows shown"] == row["rows behind it"]
    assert not row["reads as committed"]


@injected("rows_late", "rows_late.gone")
@pytest.mark.usefixtures("fault")
def test_rows_that_came_or_went_are_no_changed_view(hands):
    """The figures differ, and nothing is rebuilt."""
    assert hands.value(RECOUNT) >= 1
    assert hands.value(CHANGED) == 0
    with pytest.raises(NothingDoneError):
        hands.do(metric_views.rebuild())


@injected("figures_doubled")
@pytest.mark.usefixtures("fault")
def test_what_else_hangs_on_a_view_stops_its_rebuilding(hands, lab):
    """A view of somebody's own is not dropped with it; the whole is as it was."""
    with psycopg.connect(Lab(lab.folder).dsn(), autocommit=True) as connection:
        connection.execute("create view funnel_of_mine as select * from adoption_funnel_mv")
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            hands.do(metric_views.rebuild())
        connection.execute("drop view funnel_of_mine")
    assert hands.value(CHANGED) == 1
    assert hands.value(ALTERED) == 0


@injected("missions_flood")
@pytest.mark.usefixtures("fault")
def test_a_real_change_is_unusual_and_no_figure_is_wrong(hands):
    """The tenant is named; the other one is as usual."""
    found = hands.read(UNUSUAL)
    assert found.value > 5
    assert abs(found.detail[1]["sigma"]) < 3
    assert hands.value(RECOUNT) == 0


def test_a_past_that_is_too_short_is_no_answer(hands):
    """What is usual takes two weeks at least."""
    with pytest.raises(NoAnswerError):
        hands.read(dashboards.unusual(span=timedelta(days=30), weeks=3))
