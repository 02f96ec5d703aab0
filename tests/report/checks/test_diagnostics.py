from __future__ import annotations

import pytest
from hypothesis import given

from bot.report.checks.diagnostics import Diagnostic, diagnostics
from tests.report.hostile import hostile_text


@pytest.mark.parametrize(
    ("line", "path", "number", "message", "warning"),
    [
        ("src/app.c:12:5: error: 'x' undeclared", "src/app.c", 12, "error: 'x' undeclared", False),
        ("src/app.c:12:5: warning: unused", "src/app.c", 12, "warning: unused", True),
        ("src/app.c:12: fatal error: no.h: gone", "src/app.c", 12, "fatal error: no.h: gone", False),
        ("./main.go:3:2: undefined: x", "./main.go", 3, "undefined: x", False),
        ("    main_test.go:14: got 2, want 1", "main_test.go", 14, "got 2, want 1", False),
        ("bot/app.py:3:1: F401 'os' imported", "bot/app.py", 3, "F401 'os' imported", False),
        ("bot/app.py:3: error: Bad type  [arg]", "bot/app.py", 3, "error: Bad type  [arg]", False),
        ("tests/test_app.py:7: AssertionError", "tests/test_app.py", 7, "AssertionError", False),
        ("src/a.ts(12,5): error TS2304: no x", "src/a.ts", 12, "error TS2304: no x", False),
        ("src/a.ts:12:5 - error TS2304: no x", "src/a.ts", 12, "error TS2304: no x", False),
        ("C:\\w\\a.cs(3,4): error CS1: x", "C:\\w\\a.cs", 3, "error CS1: x", False),
        ("[ERROR] /b/App.java:[12,5] no symbol", "/b/App.java", 12, "no symbol", False),
        ("[WARNING] /b/App.java:[12,5] raw type", "/b/App.java", 12, "raw type", True),
        ("error: app.py:3: bad", "app.py", 3, "bad", False),
        ("/w/app.py:4: DeprecationWarning: old", "/w/app.py", 4, "DeprecationWarning: old", True),
        ("Makefile:12: *** missing separator", "Makefile", 12, "*** missing separator", False),
        ("file:///b/a.rs:4:1: error: x", "/b/a.rs", 4, "error: x", False),
        ("\x1b[1msrc/a.c:1:2:\x1b[0m error: x", "src/a.c", 1, "error: x", False),
    ],
)
def test_tools_have_ways_of_their_own(
    line: str, path: str, number: int, message: str, *, warning: bool
) -> None:
    assert list(diagnostics([line])) == [Diagnostic(path, number, message, warning)]


def test_rust_says_what_before_where() -> None:
    lines = ("error[E0425]: cannot find value `x`", "  --> src/main.rs:12:5", "   |")
    assert list(diagnostics(lines)) == [
        Diagnostic("src/main.rs", 12, "error[E0425]: cannot find value `x`", warning=False)
    ]
    assert list(diagnostics(lines[1:])) == []


@pytest.mark.parametrize(
    "line",
    [
        "src/a.c:12:5: note: declared here",
        "12:30:45: started",
        "make: *** [Makefile:12: all] Error 1",
        "E   http://localhost:8080: refused",
        "src/a.c:0: error: no such line",
        "src/a.c:12:",
        "\t/src/serve.go:77 +0x1b",
        "\t/src/serve.go:77: +0x1b",
        "tests/test_app.py:3: in <module>",
        "FAILED tests/test_app.py::test_add - assert 1 == 2",
        "⋯",
        "",
    ],
)
def test_other_lines_say_nothing_of_a_place(line: str) -> None:
    assert list(diagnostics([line])) == []


@given(hostile_text)
def test_no_line_is_too_strange(text: str) -> None:
    for found in diagnostics([text, f"{text}:1: error: {text}", f"a.py:1: {text}"]):
        assert found.line > 0
        assert found.message.strip()
