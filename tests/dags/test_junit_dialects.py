"""What the files of each dialect say, as people know the tests: by names, messages and places."""

import shutil
from pathlib import Path

import pytest

from tests.dags.junit_summaries import told

FILES = Path(__file__).with_name("junit_files")

DIALECTS = [
    (
        "pytest.xml",
        (6, 4, 1, 0.113),
        [
            (
                "tests/test_app.py::test_add",
                "AssertionError: assert 3 == 4 + where 3 = add(1, 2)",
                "tests/test_app.py",
                12,
                0.002,
            ),
            (
                "tests/test_app.py::TestCart::test_total[1/0-eur]",
                "ZeroDivisionError: division by zero",
                "tests/test_app.py",
                30,
                0.01,
            ),
            (
                "tests/test_broken.py",
                "ModuleNotFoundError: No module named 'nothing'",
                "tests/test_broken.py",
                1,
                0.0,
            ),
            (
                "tests/test_db.py::test_query",
                'failed on setup with "ConnectionError: refused"',
                "tests/conftest.py",
                5,
                0.1,
            ),
        ],
        [],
    ),
    (
        "pytest_xunit1.xml",
        (1, 1, 0, 0.01),
        [
            (
                "tests/test_app.py::TestCart::test_total",
                "Failed: DID NOT RAISE <class 'ValueError'>",
                "tests/test_app.py",
                29,
                0.01,
            )
        ],
        [],
    ),
    (
        "unittest.xml",
        (2, 1, 0, 0.0),
        [("tests/test_sum.py::TestSum::test_add", "3 != 4", "tests/test_sum.py", 8, 0.0)],
        [],
    ),
    (
        "gotestsum.xml",
        (4, 2, 1, 0.02),
        [
            ("sum.TestAdd", "Add(1, 2) = 4, want 3", "sum/sum_test.go", 12, 0.0),
            (
                "sum.TestTable/negative_numbers",
                "Error: Not equal: expected: 1, actual: -1",
                "sum/sum_test.go",
                31,
                0.0,
            ),
        ],
        ["sum.TestOften"],
    ),
    ("go_junit_report.xml", (2, 1, 0, 0.0), [("TestMain", "boom", "main_test.go", 9, 0.0)], []),
    (
        "TEST-com.acme.AppTest.xml",
        (4, 2, 1, 1000.113),
        [
            ("com.acme.AppTest.add", "expected: <3> but was: <4>", "com/acme/AppTest.java", 12, 0.012),
            (
                "com.acme.AppTest.load",
                "java.lang.NullPointerException",
                "com/acme/AppTest.java",
                22,
                1000.001,
            ),
        ],
        ["com.acme.AppTest.often"],
    ),
    (
        "jest.xml",
        (2, 1, 0, 0.004),
        [
            (
                "sum adds numbers",
                "Error: expect(received).toBe(expected) // Object.is equality Expected: 4 Received: 3",
                "src/sum.test.js",
                5,
                0.003,
            )
        ],
        [],
    ),
    (
        "vitest.xml",
        (2, 1, 1, 0.003),
        [
            (
                "src/sum.test.ts > sum > adds",
                "expected 3 to be 4 // Object.is equality",
                "src/sum.test.ts",
                6,
                0.003,
            )
        ],
        [],
    ),
    (
        "nextest.xml",
        (3, 1, 0, 0.019),
        [
            (
                "acme-app tests::adds",
                "assertion `left == right` failed left: 3 right: 4",
                "src/lib.rs",
                10,
                0.007,
            )
        ],
        ["acme-app tests::often"],
    ),
    ("bazel.xml", (1, 1, 0, 3.0), [("pkg/smoke_test", "exited with error code 1", "", None, 3.0)], []),
    (
        "gtest.xml",
        (3, 1, 1, 0.001),
        [
            (
                "SumTest.Adds",
                "Expected equality of these values: add(1, 2) Which is: 3",
                "src/sum_test.cc",
                12,
                0.001,
            )
        ],
        [],
    ),
    (
        "phpunit.xml",
        (1, 1, 0, 0.004),
        [
            (
                "Tests.SumTest.testAdd",
                "Tests\\SumTest::testAdd Failed asserting that 3 matches expected 4.",
                "tests/SumTest.php",
                12,
                0.004,
            )
        ],
        [],
    ),
    (
        "rspec.xml",
        (1, 1, 0, 0.01),
        [("spec.sum_spec.Sum adds", "expected: 4 got: 3", "spec/sum_spec.rb", 5, 0.01)],
        [],
    ),
]


@pytest.mark.parametrize(
    ("file", "counts", "failures", "flaky"), DIALECTS, ids=[dialect[0] for dialect in DIALECTS]
)
def test_each_dialect(
    tmp_path: Path,
    file: str,
    counts: tuple[int, int, int, float],
    failures: list[tuple[str, str, str, int | None, float]],
    flaky: list[str],
) -> None:
    shutil.copy(FILES / file, tmp_path)
    tests = told(tmp_path)
    assert (tests["total"], tests["failed"], tests["skipped"], tests["seconds"]) == counts
    assert [tuple(failure.values()) for failure in tests["failures"]] == failures
    assert (tests["flaky"], tests["notes"]) == (flaky, [])


def test_every_dialect_has_a_row() -> None:
    assert {file.name for file in FILES.iterdir()} == {dialect[0] for dialect in DIALECTS}


def test_all_files_of_a_step_together() -> None:
    tests = told(FILES)
    assert tests["total"] == sum(dialect[1][0] for dialect in DIALECTS)
    assert tests["failed"] == len(tests["failures"]) == sum(dialect[1][1] for dialect in DIALECTS)
    assert len({failure["name"] for failure in tests["failures"]}) == tests["failed"]
