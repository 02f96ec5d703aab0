import pytest

from steps.folders import Entry
from steps.limits import Limits, choose, in_words

MEGABYTE = 1024**2


def files(**sizes: int) -> list[Entry]:
    return [Entry(path, size) for path, size in sizes.items()]


@pytest.mark.parametrize(
    ("found", "first", "limits", "kept", "dropped"),
    [
        pytest.param(files(b=1, a=2), (), Limits(), ["a", "b"], "", id="all that fits"),
        pytest.param(
            files(a=5, b=11, c=5),
            (),
            Limits(file_bytes=10),
            ["a", "c"],
            "1 file, 11 bytes: more than 10 bytes each",
            id="one that is too big",
        ),
        pytest.param(
            files(a=1, b=1, c=1),
            ("c",),
            Limits(files=2),
            ["c", "a"],
            "1 file, 1 bytes: more than 2 files",
            id="JUnit goes first",
        ),
        pytest.param(
            files(a=6, b=6, c=4),
            (),
            Limits(total_bytes=10),
            ["a", "c"],
            "1 file, 6 bytes: more than 10 bytes in all",
            id="a smaller one still fits",
        ),
        pytest.param(
            [
                *files(a=1),
                Entry("l", oddity="a link"),
                Entry("m", oddity="a link"),
                Entry("p", oddity="no file"),
            ],
            (),
            Limits(),
            ["a"],
            "2 files, 0 bytes: a link; 1 file, 0 bytes: no file",
            id="what is no file",
        ),
    ],
)
def test_what_is_kept_and_what_is_said_of_the_rest(
    found: list[Entry], first: tuple[str, ...], limits: Limits, kept: list[str], dropped: str
) -> None:
    chosen, rest = choose(found, first, limits)
    assert ([entry.path for entry in chosen], str(rest)) == (kept, dropped)


def test_the_log_names_the_first_of_many() -> None:
    _, dropped = choose([Entry(f"{number:03}", oddity="a link") for number in range(500)], (), Limits())
    assert len(dropped.named) == 20
    assert dropped.named[0] == "000: a link"


@pytest.mark.parametrize(
    ("environ", "limits"),
    [
        ({}, Limits(1000, 1024 * MEGABYTE, 100 * MEGABYTE)),
        (
            {
                "PREFLIGHT_ARTIFACTS_MAX_FILES": "5",
                "PREFLIGHT_ARTIFACTS_MAX_BYTES": "6",
                "PREFLIGHT_ARTIFACTS_MAX_FILE_BYTES": "0",
            },
            Limits(5, 6, 0),
        ),
        ({"PREFLIGHT_ARTIFACTS_MAX_FILES": "many", "PREFLIGHT_ARTIFACTS_MAX_BYTES": "-1"}, Limits()),
    ],
)
def test_limits_are_settings(environ: dict[str, str], limits: Limits) -> None:
    assert Limits.of(environ) == limits


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (2048, "2 kB"),
        (240 * MEGABYTE, "240 MB"),
        (1024 * MEGABYTE, "1 GB"),
        (1536 * MEGABYTE, "1.5 GB"),
    ],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert in_words(size) == words
