"""Which lines of a log explain a failure. To teach Preflight another tool, add a row to MATCHERS."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Matcher:
    """A line that matters, and how many lines around it do.

    `holds` are texts of which one must be in the line before the pattern, a slow one, is tried.
    `weight` decides who wins when not all fit. With `until`, the lines that follow are kept up to and with
    the one that it matches, at most `after`. Of several finds the first ones are kept, or with `last` the
    last ones (a traceback's end, the last of several tracebacks).
    """

    name: str
    pattern: re.Pattern[str]
    weight: int
    before: int = 0
    after: int = 0
    until: re.Pattern[str] | None = None
    last: bool = False
    holds: tuple[str, ...] = ()

    def matches(self, line: str) -> bool:
        """Whether the line is one of those that matter."""
        if self.holds and not any(map(line.__contains__, self.holds)):
            return False
        return self.pattern.match(line) is not None


def _row(
    name: str,
    pattern: str,
    weight: int,
    *,
    around: tuple[int, int] = (0, 0),
    until: str | None = None,
    last: bool = False,
    holds: tuple[str, ...] = (),
) -> Matcher:
    before, after = around
    end = None if until is None else re.compile(until)
    return Matcher(name, re.compile(pattern), weight, before, after, end, last, holds)


_SOURCE = (
    r"\.(?:py|pyi|jsx?|mjs|cjs|tsx?|vue|svelte|css|scss|html|c|cc|cpp|cxx|h|hh|hpp|m|mm|go|rs|java|kts?|scala"
    r"|groovy|rb|php|swift|cs|fs|dart|exs?|erl|hs|ml|lua|pl|r|jl|zig|sh|bash|sql|tf|proto|ya?ml|toml|json|md)"
)

# The order is that of the weights: a line counts for the first row whose pattern it begins with. Patterns
# see hostile lines (at most excerpt.LOOKED_AT characters): no repetition within or beside one of its like.
MATCHERS: tuple[Matcher, ...] = (
    _row("merge conflict", r"CONFLICT \(|Automatic merge failed", 10),
    _row("pytest summary", r"(?:FAILED|ERROR) \S+(?:::|\.py\b)", 9),
    _row("go test", r"\s*--- FAIL: ", 9, around=(0, 4), until=r"\s*(?:---|===) |FAIL|ok "),
    _row("go panic", r"panic: |fatal error: ", 9, around=(0, 8)),
    _row("rust panic", r"thread '[^']{0,200}' .{0,40}panicked at ", 9, around=(0, 4)),
    _row("race", r"WARNING: DATA RACE|==\d+==ERROR: \w+Sanitizer", 9, around=(0, 8)),
    _row("unittest", r"(?:FAIL|ERROR): (?:\S+ \(|//)", 9),
    _row("vitest", r" ?FAIL  ?\S+ > ", 9, around=(0, 8)),
    _row("pytest assertion", r"E {3}|> {3,}\S", 8),
    _row(
        "traceback",
        r"[\s+|]*(?:Exception Group )?Traceback \(most recent call last\):",
        8,
        around=(0, 60),
        until=r"[A-Za-z_]",
        last=True,
    ),
    _row(
        "javascript test",
        "\\s*\N{BLACK CIRCLE} .* \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
        "|\\s*[✕✖✗✘\N{MULTIPLICATION SIGN}] ",
        8,
        around=(0, 6),
    ),
    _row("tap", r"\s*not ok \d", 8, around=(0, 6)),
    _row(
        "exception",
        r'\s{0,8}(?:Caused by: |Exception in thread "[^"]{0,100}" |Uncaught )?'
        r"[\w.$]*(?:Exception|Error)(?: \[\w{1,60}\])?(?:: |$)",
        7,
        around=(0, 3),
    ),
    _row("rust test", r"test .+ \.\.\. FAILED|---- .+ stdout ----", 7, around=(0, 2)),
    _row(
        "killed",
        r".*\b(?:[Oo]ut of memory|OOMKilled|Segmentation fault|core dumped|Killed)\b",
        7,
        around=(2, 1),
        holds=("memory", "OOM", "fault", "dumped", "Killed"),
    ),
    _row("rust error", r"error(?:\[E\d+\])?: ", 7, around=(0, 6)),
    _row(
        "location",
        "\\s*(?:-->|\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}) \\S+:\\d+",
        7,
        around=(1, 4),
    ),
    _row("javac", r"(?:\[ERROR\] )?\S+\.java:(?:\d+: error: |\[\d+,\d+\] )", 7, around=(0, 4)),
    _row(
        "compiler",
        r"\s{0,8}(?:vet: |e: file://)?[\w@+./\\-]*"
        + _SOURCE
        + r"[:(]\d+(?:[:,]\d+)?\)?:?(?:$| (?!.{0,40}\b(?:warning|note)\b))",
        7,
        around=(0, 2),
    ),
    _row("linter", r"\s+\d+:\d+\s+error\s", 7, around=(1, 0)),
    _row("terraform", r"[│|]?\s*Error: ", 7, around=(0, 6)),
    _row("gradle", r"\* What went wrong:|> Task .* FAILED", 7, around=(0, 4)),
    _row("hook", r".*(?<!\.)\.{3,100}+Failed$", 7, around=(0, 8), holds=("...Failed",)),
    _row("numbered", r" {0,4}\d{1,4}\) \S", 6, around=(0, 12)),  # Mocha, RSpec, PHPUnit
    _row("maven", r"\[ERROR\] ", 6),
    _row(
        "counts",
        r"=++ .*\b\d{1,9} (?:failed|error)|FAILED \((?:fail|err)|Tests?:? .*\b\d{1,9} fail"
        r"|\d{1,9} tests? completed, \d{1,9} failed",
        6,
        last=True,
    ),
    _row("go package", r"FAIL(?:\s|$)", 6, last=True),
    _row("error", r"(?i:error|fatal)\b[:!\[ ]|##\[error\]|::error", 6, around=(1, 3)),
    _row("failed", r".{0,200}?\bFAILED\b", 6, around=(0, 2), holds=("FAILED",)),
    _row(
        "error inside",
        r".{1,200}?\b(?:[eE]rror|ERROR|[fF]atal|FATAL): ",
        5,
        around=(0, 1),
        holds=("rror: ", "RROR: ", "atal: ", "ATAL: "),
    ),
    _row("npm", r"npm (?:ERR!|error)|\s?(?:ERR_PNPM|ELIFECYCLE)", 5),
    _row("package", r"E: [A-Z]|would reformat |\[warn\] \S+$", 5),
    _row(
        "shell",
        r".*: (?:command not found|not found|No such file or directory|Permission denied"
        r"|Connection (?:refused|reset by peer|timed out))$",
        5,
        around=(1, 0),
    ),
    _row(
        "timeout",
        r".{0,200}?\b(?:[Tt]imed out\b|[Tt]imeout (?:exceeded|expired|after)|deadline exceeded)",
        5,
        around=(1, 0),
        holds=("imed out", "imeout ", "deadline"),
    ),
    _row("make", r"(?:g?make|ninja)(?:\[\d+\])?: \*\*\*", 4, around=(1, 0), last=True),
    _row(
        "exit",
        r".{0,200}?\bexit(?:ed)?(?: with)?(?: code| status)[: ]{1,2}[1-9]",
        3,
        last=True,
        holds=("exit",),
    ),
)

# Nearly all lines match nothing: one look at each finds that out.
_HOLDS = tuple(text for matcher in MATCHERS for text in matcher.holds)
_ANY = re.compile("|".join(f"(?:{matcher.pattern.pattern})" for matcher in MATCHERS if not matcher.holds))


def first_match(line: str) -> Matcher | None:
    """The first row whose lines this is one of, None for a line that does not stand out."""
    if not _ANY.match(line) and not any(map(line.__contains__, _HOLDS)):
        return None
    return next((matcher for matcher in MATCHERS if matcher.matches(line)), None)
