"""Packs are found where they are installed or by their names, and a broken one stops nobody."""

import ast
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import runbook_nb
from runbook_nb.errors import LabError
from runbook_nb.probes.lab_settings import LAB_PACK, lab_folder
from runbook_nb.runbook.lab import Fault, LabStatus
from runbook_nb.runbook.packs import (
    Pack,
    find_fault,
    find_lab,
    load_packs,
    packs_in_use,
    problems_of,
    system_names,
)

ENGINE = Path(runbook_nb.__file__).parent


class ShopLab:
    """A lab of another team, with one fault and no process."""

    def __init__(self, fault: str) -> None:
        self.fault, self.healed = fault, False

    def up(self, *, progress: Callable[[str], None]) -> LabStatus:
        progress("Opening")
        return LabStatus(parts=(), started=True)

    def down(self) -> None:
        return None

    def status(self) -> LabStatus | None:
        return None

    def faults(self) -> dict[str, Fault]:
        fault = Fault(name=self.fault, title="Broken", inject=lambda: None, heal=self._heal)
        return {self.fault: fault}

    def wait_for_alerts(self) -> dict[str, list[object]]:
        return {"alerts": []}

    def wait_until_quiet(self) -> list[str]:
        return []

    def _heal(self) -> None:
        self.healed = True


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Write a module where Python finds it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place) -> Iterator[None]:
    """Two packs with a lab each, installed beside what is there; each test finds packs anew."""
    code = "from test_packs import ShopLab\nfrom runbook_nb.runbook.packs import Pack\n"
    for name in ("till", "stock"):
        pack = f"Pack(name={name!r}, about='', systems=({name!r},), lab=lambda: ShopLab({name!r}))"
        place(f"{name}.py", f"{code}PACK = {pack}\n")
        place(f"{name}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        entry = f"[runbook_nb.packs]\n{name} = {name}:PACK\n"
        place(f"{name}-1.dist-info/entry_points.txt", entry)
    monkeypatch.setenv("RUNBOOK_LAB", str(tmp_path / "lab"))
    # Outside a project, which would name its packs.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(LAB_PACK, "")
    runbook_nb.runbook.packs._loaded.cache_clear()
    yield
    runbook_nb.runbook.packs._loaded.cache_clear()


def test_a_pack_is_found_by_its_place(place):
    """The settings of a project name it as module and attribute."""
    place(
        "florist.py",
        "from runbook_nb.runbook.packs import Pack\nPACK = Pack(name='florist', about='Flowers')\n",
    )

    (found,) = load_packs(["florist:PACK"])

    assert (found.name, found.about, found.problem) == ("florist", "Flowers", "")


@pytest.mark.usefixtures("installed")
def test_installed_packs_are_in_use_where_none_is_named():
    """By the entry point; the platform's own is one of them."""
    assert {"control_plane", "stock", "till"} <= {pack.name for pack in packs_in_use()}
    assert [pack.name for pack in load_packs(["till"])] == ["till"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import nowhere_at_all", "No module named 'nowhere_at_all'"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit('no licence')", "no licence"),
        ("PACK = 'a text'", "is a str, and not a Pack"),
        ("OTHER = 1", "has no attribute 'PACK'"),
    ],
)
def test_a_pack_that_cannot_be_loaded_stops_no_other(place, text, reason):
    """It is named with its reason and what to do, and the others are there."""
    name = f"broken_{abs(hash(text))}"
    place(f"{name}.py", text)
    place("sound.py", "from runbook_nb.runbook.packs import Pack\nPACK = Pack(name='s', about='')")

    broken, sound = load_packs([f"{name}:PACK", "sound:PACK"])

    assert reason in broken.problem
    assert sound.name == "s"
    (said,) = problems_of([broken, sound])
    assert f"{name}:PACK" in said
    assert "Install it, or take it out of `packs`" in said


def test_a_pack_that_is_not_installed_is_named_with_near_ones():
    """A word without a place is the name of an installed pack."""
    (found,) = load_packs(["control_plan"])

    assert "Did you mean 'control_plane'?" in found.problem


def test_private_modules_are_no_systems(place):
    """What systems share is not offered to a runbook."""
    for name in ("__init__", "_shared", "till"):
        place(f"grocer/{name}.py", "")

    assert system_names("grocer") == ["till"]


@pytest.mark.usefixtures("installed")
def test_the_lab_is_that_of_the_fault_then_that_of_the_runbook_and_stays_chosen():
    """Each has a folder of its own, which kernels inherit."""
    before = lab_folder()

    assert "stock" in find_lab(fault="stock").faults()
    assert lab_folder() == before.with_name("lab-stock")
    assert "till" in find_lab(source="from till import scanner\n").faults()
    assert "till" in find_lab().faults()
    assert (lab_folder().name, os.environ[LAB_PACK]) == ("lab-till", "till")


@pytest.mark.usefixtures("installed")
def test_a_fault_that_no_lab_has_is_named_with_near_ones():
    """The first lab answers for a fault that is nobody's."""
    with pytest.raises(LabError, match="Did you mean 'till'"):
        find_fault(find_lab(source="import till"), "tll")


def test_making_a_pack_loads_nothing_of_it():
    """A pack with a lab that cannot be imported is a pack."""

    def lab():
        raise ModuleNotFoundError

    assert Pack(name="shop", about="", lab=lab).lab is lab


def test_only_packs_imports_by_name():
    """The facade and a kernel that waits import too, each by a table of our own names."""
    importing = {
        str(path.relative_to(ENGINE))
        for path in ENGINE.rglob("*.py")
        if "packs" not in path.relative_to(ENGINE).parts
        and any(_imports_by_name(node) for node in ast.walk(ast.parse(path.read_text())))
    }

    assert importing == {"__init__.py", "runbook/packs.py", "runs/engine/kernel_process.py"}


def _imports_by_name(node: ast.AST) -> bool:
    return (isinstance(node, ast.Name) and node.id in ("import_module", "__import__")) or (
        isinstance(node, ast.Attribute) and node.attr == "import_module"
    )
