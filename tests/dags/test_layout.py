from itertools import combinations, product
from pathlib import Path

import pytest

from steps.layout import fresh, is_here, is_junit_of, junit_name

STEPS = ("unit", "unit_2", "unit_2_1", "unit_x", "2", "a.b")


def test_copies_of_junit_files_are_named_as_prows_tools_look_for_them() -> None:
    assert [junit_name("unit", number) for number in (1, 2, 3)] == [
        "junit_unit.xml",
        "junit_unit_2.xml",
        "junit_unit_3.xml",
    ]


def test_no_two_steps_have_a_copy_in_common() -> None:
    names = {step: {junit_name(step, number) for number in range(1, 13)} for step in STEPS}
    assert not any(names[one] & names[other] for one, other in combinations(STEPS, 2))
    for step, other in product(STEPS, STEPS):
        assert {is_junit_of(step, name) for name in names[other]} == {step == other}


@pytest.mark.parametrize("name", ["junit_unit.txt", "junit_unit.xml~", "junit_unit_x.xml", "xjunit_unit.xml"])
def test_other_files_are_no_copies(name: str) -> None:
    assert not is_junit_of("unit", name)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("", True),
        ("{root}", True),
        ("{root}/", True),
        ("{root}/../{name}", True),
        ("file://{root}", True),
        ("local://{root}", True),
        ("{root}/inner", False),
        ("s3://bucket{root}", False),
        ("memory://", False),
        ("simplecache::s3://x", False),
    ],
)
def test_whether_files_are_where_they_are_kept(tmp_path: Path, url: str, *, here: bool) -> None:
    assert is_here(url.format(root=tmp_path, name=tmp_path.name), tmp_path) is here


class TestAFreshFolder:
    def test_has_nothing_of_an_earlier_try(self, tmp_path: Path) -> None:
        run = tmp_path / "artifacts"
        for path in ("unit/a/b.txt", "unit/junit.xml", "other/c.txt", "junit_unit.xml", "junit_unit_2.xml"):
            (run / path).parent.mkdir(parents=True, exist_ok=True)
            (run / path).touch()
        (run / "junit_other.xml").touch()
        (run / "junit_unit_2_1.xml").touch()
        fresh(run / "unit", tmp_path)
        left = sorted(path.relative_to(run).as_posix() for path in run.rglob("*"))
        assert left == ["junit_other.xml", "junit_unit_2_1.xml", "other", "other/c.txt", "unit"]

    def test_is_made(self, tmp_path: Path) -> None:
        fresh(tmp_path / "run" / "artifacts" / "unit", tmp_path)
        assert (tmp_path / "run" / "artifacts" / "unit").is_dir()

    @pytest.mark.parametrize("linked", ["run", "run/artifacts", "run/artifacts/unit"])
    def test_is_reached_through_no_link(self, tmp_path: Path, linked: str) -> None:
        root, outside = tmp_path / "root", tmp_path / "outside"
        (outside / "artifacts" / "unit").mkdir(parents=True)
        (outside / "artifacts" / "unit" / "kept").touch()
        (root / linked).parent.mkdir(parents=True)
        (root / linked).symlink_to(outside / linked.partition("/")[2])
        fresh(root / "run" / "artifacts" / "unit", root)
        assert list((root / "run" / "artifacts" / "unit").iterdir()) == []
        assert not (root / linked).is_symlink()
        assert (outside / "artifacts" / "unit" / "kept").exists()

    def test_may_be_below_a_root_that_is_one(self, tmp_path: Path) -> None:
        (tmp_path / "disk").mkdir()
        (tmp_path / "root").symlink_to(tmp_path / "disk")
        fresh(tmp_path / "root" / "unit", tmp_path / "root")
        assert (tmp_path / "disk" / "unit").is_dir()
