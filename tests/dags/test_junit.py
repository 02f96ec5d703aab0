"""What is read of a step's JUnit files, and how it is told."""

from pathlib import Path

import pytest

from steps.junit.__main__ import summarise
from steps.junit.summary import Summary
from tests.dags.junit_summaries import bad, ok, suite, told, written


class TestATestThatComesAgain:
    """Flaky only where it can be told that the same test ran again."""

    RERUN = (bad("test_add", "tests.test_sum"), ok("test_add", "tests.test_sum"))
    NAMESAKES = (bad("adds"), ok("adds"))

    @pytest.mark.parametrize(
        ("files", "passed", "total", "failed", "flaky"),
        [
            pytest.param({"a.xml": suite(*RERUN)}, False, 1, 0, ["tests/test_sum.py::test_add"], id="pytest"),
            pytest.param(
                {"a.xml": suite(RERUN[0], RERUN[0])}, False, 1, 1, [], id="it failed both times: one failure"
            ),
            pytest.param({"a.xml": suite(*RERUN[::-1])}, False, 2, 1, [], id="it passed first"),
            pytest.param({"a.xml": suite(*NAMESAKES)}, False, 2, 1, [], id="of one name in one file"),
            pytest.param({"a.xml": suite(*NAMESAKES)}, True, 1, 0, ["Sum.adds"], id="but the step passed"),
            pytest.param(
                {"py311.xml": suite(RERUN[0]), "py312.xml": suite(RERUN[1])}, False, 2, 1, [], id="a matrix"
            ),
            pytest.param(
                {"first.xml": suite(RERUN[0]), "second.xml": suite(RERUN[1])},
                True,
                1,
                0,
                ["tests/test_sum.py::test_add"],
                id="in a later file of a step that passed",
            ),
            pytest.param(
                {
                    "pkg/sum_test/test.xml": suite(ok("adds")),
                    "pkg/sum_test/test_attempts/attempt_1.xml": suite(bad("adds")),
                    "pkg/other_test/test.xml": suite(ok("adds")),
                },
                False,
                2,
                0,
                ["Sum.adds"],
                id="Bazel's attempts",
            ),
        ],
    )
    def test_is_flaky_or_another(
        self,
        tmp_path: Path,
        files: dict[str, str],
        *,
        passed: bool,
        total: int,
        failed: int,
        flaky: list[str],
    ) -> None:
        tests = told(written(tmp_path, files), passed=passed)
        assert (tests["total"], tests["failed"], tests["flaky"]) == (total, failed, flaky)

    def test_has_a_name_of_its_own(self, tmp_path: Path) -> None:
        tests = told(
            written(tmp_path, {"a.xml": suite(bad("adds"), bad("adds")), "b.xml": suite(bad("adds"))})
        )
        assert [failure["name"] for failure in tests["failures"]] == [
            "Sum.adds",
            "Sum.adds (2)",
            "Sum.adds (3)",
        ]


@pytest.mark.parametrize(
    ("classname", "name", "suite_name", "expected"),
    [
        ("test_app", "test_x", "pytest", "test_app.py::test_x"),
        ("tests.unit.test_app.TestA.TestB", "test_x", "mine", "tests/unit/test_app.py::TestA::TestB::test_x"),
        ("app.tests.CartTest", "test_x", "pytest", "app/tests.py::CartTest::test_x"),
        ("pkg.sum_test", "test_x", "mine", "pkg/sum_test.py::test_x"),
        ("foo_test", "bar", "foo_test", "foo_test.bar"),
        ("example.org/other/sum", "TestAdd", "example.org/other/sum", "example.org/other/sum.TestAdd"),
        ("sum", "TestAdd", "github.com/acme/app/sum", "sum.TestAdd"),
        (
            "github.com/acme/application",
            "TestAdd",
            "github.com/acme/application",
            "github.com/acme/application.TestAdd",
        ),
        ("com.acme.SumTest", "TestAdd", "com.acme.SumTest", "com.acme.SumTest.TestAdd"),
        ("adds", "sum adds", "sum", "sum adds"),
        ("e2e/cart.spec.ts", "cart > pays", "e2e/cart.spec.ts", "e2e/cart.spec.ts > cart > pays"),
        ("", "lonely", "", "lonely"),
        ("Sum", "", "", "Sum."),
        ("", "", "", "(no name)"),
        ("", "two\nlines\x07", "", "two lines"),
    ],
)
def test_names(tmp_path: Path, classname: str, name: str, suite_name: str, expected: str) -> None:
    case = bad(name.replace("\n", "&#10;").replace("\x07", "&#160;").replace(">", "&gt;"), classname)
    tests = told(written(tmp_path, {"a.xml": suite(case, name=suite_name)}))
    assert tests["failures"][0]["name"] == expected


@pytest.mark.parametrize(
    ("message", "text", "expected"),
    [
        ("boom", "ignored", "boom"),
        ("one&#10;two&#10;three&#10;four", "", "one two three"),
        ("#x1B[31mred#x1B[0m", "", "red"),
        ("", "", "KindOfError"),
        ("Failed", "first line\n\n   second", "first line second"),
        ("ValueError:", "too big", "ValueError: too big"),
        ("", "java.lang.Error: boom\n\tat a.B.c(B.java:1)\n\tat a.D.e(D.java:2)", "java.lang.Error: boom"),
        ("in /steps/x/preflight-ab12cd_3/source/app.py", "", "in app.py"),
        ("x" * 2000, "", "x" * 499 + "…"),
    ],
)
def test_messages(tmp_path: Path, message: str, text: str, expected: str) -> None:
    case = f'<testcase name="t"><error message="{message}" type="KindOfError">{text}</error></testcase>'
    assert told(written(tmp_path, {"a.xml": suite(case)}))["failures"][0]["message"] == expected


@pytest.mark.parametrize(
    ("text", "file", "line"),
    [
        ("/elsewhere/tests/test_a.py:3: Error", "/elsewhere/tests/test_a.py", 3),
        (
            "/home/u/.cache/bazel/x/execroot/_main/bazel-out/k8/bin/pkg/t.runfiles/_main/pkg/t.py:4: E",
            "pkg/t.py",
            4,
        ),
        (
            '  File "/steps/x/app.py", line 5, in f\n  File "/v/lib/site-packages/a.py", line 6, in g',
            "app.py",
            5,
        ),
        ("    at f (file:///steps/x/a.mjs:7:1)\n    at g (node:internal/x.js:1:1)", "a.mjs", 7),
        ("see example.com:443 or 12:30:00", "", None),
        ("in a.rb:99999999999", "", None),
    ],
)
def test_places(tmp_path: Path, text: str, file: str, line: int | None) -> None:
    case = f'<testcase name="t"><failure>{text}</failure></testcase>'
    failure = told(written(tmp_path, {"a.xml": suite(case)}))["failures"][0]
    assert (failure["file"], failure["line"]) == (file, line)


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("1.5", 1.5),
        ("1,234.5", 1234.5),
        ("nan", None),
        ("-1", None),
        ("1e300", None),
        ("soon", None),
        ("", None),
    ],
)
def test_durations(tmp_path: Path, time: str, seconds: float | None) -> None:
    tests = told(written(tmp_path, {"a.xml": suite(f'<testcase name="t" time="{time}"><error/></testcase>')}))
    assert (tests["seconds"], tests["failures"][0]["seconds"]) == (seconds, seconds)


def test_the_first_hundred_failures_are_told_and_all_are_counted(tmp_path: Path) -> None:
    tests = told(written(tmp_path, {"a.xml": suite(*(bad(f"t{number}") for number in range(1500)))}))
    assert (tests["failed"], len(tests["failures"])) == (1500, 100)
    assert tests["failures"][99] == {
        "name": "Sum.t99",
        "message": "boom",
        "file": "",
        "line": None,
        "seconds": None,
    }


def test_long_names_stay_unlike(tmp_path: Path) -> None:
    tests = told(written(tmp_path, {"a.xml": suite(bad("x" * 1000 + "a"), bad("x" * 1000 + "b"))}))
    one, other = (failure["name"] for failure in tests["failures"])
    assert one != other
    assert max(len(one), len(other)) <= 300


class TestWhatCounts:
    @pytest.mark.parametrize(
        "path",
        [
            "junit.xml",
            "my-junit-1.xml",
            "TEST-a.xml",
            "t/test.xml",
            "target/surefire-reports/x.xml",
            "any.XML",
        ],
    )
    def test_is_told_by_the_root_element(self, tmp_path: Path, path: str) -> None:
        assert told(written(tmp_path, {path: suite(ok("a"))}))["total"] == 1

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("coverage.xml", "<coverage/>"),
            ("junit.xml", "<html><testsuite><testcase name='a'/></testsuite></html>"),
            ("broken.xml", "<coverage"),
            ("junit.txt", suite(ok("a"))),
        ],
    )
    def test_is_nothing_else(self, tmp_path: Path, path: str, text: str) -> None:
        summary = Summary()
        assert summarise(written(tmp_path, {path: text}), summary) == []
        assert summary.told() is None

    def test_is_told_of_suites_without_cases_too(self, tmp_path: Path) -> None:
        assert told(written(tmp_path, {"a.xml": "<testsuites/>"}))["total"] == 0

    def test_has_namespaces_and_nested_suites(self, tmp_path: Path) -> None:
        inner = (
            '<j:testsuite><j:testsuite name="in"><j:testcase name="a"><j:failure message="m"/></j:testcase>'
        )
        text = f'<j:testsuites xmlns:j="urn:junit">{inner}</j:testsuite></j:testsuite></j:testsuites>'
        tests = told(written(tmp_path, {"a.xml": text}))
        assert (tests["total"], tests["failures"][0]["message"]) == (1, "m")


@pytest.mark.parametrize(
    ("classname", "expected"),
    [
        ("CartTest", "tests/test_cart.py::CartTest::test_x"),
        ("test_cart.CartTest", "tests/test_cart.py::CartTest::test_x"),
        ("tests.test_cart", "tests/test_cart.py::test_x"),
        ("tests.test_cart.CartTest", "tests/test_cart.py::CartTest::test_x"),
        ("test_cart.CartTest.Inner", "tests/test_cart.py::CartTest::Inner::test_x"),
    ],
)
def test_names_where_the_file_is_told(tmp_path: Path, classname: str, expected: str) -> None:
    """Of two classes in a file each keeps its tests, whatever of the module its own name begins with."""
    case = bad("test_x", classname).replace("<testcase ", '<testcase file="tests/test_cart.py" ', 1)
    tests = told(written(tmp_path, {"a.xml": suite(case)}))
    assert tests["failures"][0]["name"] == expected
