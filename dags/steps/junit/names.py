"""What people call a test: the name that its own tool prints."""

import re
from dataclasses import dataclass

from steps.junit.reader import Case

_PYTHON_MODULE = re.compile(r"test_\w*|\w*_tests?")
_LOOKED_AT = 5_000
_GO_TEST = re.compile(r"(?:Test|Example|Fuzz|Benchmark)(?![a-z])")
_SCRIPT = re.compile(r".*\.[cm]?[jt]sx?")


@dataclass(frozen=True)
class Named:
    """A test's name. `unique`: the tool runs no two tests of that name, so one that comes twice ran twice."""

    name: str
    unique: bool = False
    file: str = ""
    """The file that the test is in, where its name tells."""


def named(found: Case, repository: str = "") -> Named:
    """Return the test's name. `repository` is OWNER/NAME on GitHub: Go's packages lose that prefix."""
    name, place, file = (
        (text or "")[:_LOOKED_AT].strip()
        for text in (found.case.name, found.case.classname, found.case.file or found.file)
    )
    if found.root.startswith("nextest"):
        return Named(f"{place} {name}".strip(), unique=True)
    if _is_python(found, place, file):
        return _python(place, name, file)
    if _is_go(found, place, name):
        package = go_package(found.suite if found.suite.endswith(f"/{place}") else place, repository)
        return Named(f"{package}.{name}" if package else name, unique=True)
    if not place or _tells(name, place):
        return Named(f"{file} > {name}" if _SCRIPT.fullmatch(file) and file not in name else name)
    return Named(f"{place} > {name}", file=place) if _SCRIPT.fullmatch(place) else Named(f"{place}.{name}")


def _tells(name: str, place: str) -> bool:
    start = name.find(place)
    end = start + len(place)
    return start >= 0 and not name[max(start - 1, 0) : start].isalnum() and not name[end : end + 1].isalnum()


def go_package(path: str, repository: str) -> str:
    """Return the package's folder in the repository if it is the repository's, else its whole path."""
    prefix = f"github.com/{repository}".lower()
    inner = path[len(prefix) :]
    if not repository or not path.lower().startswith(prefix) or inner[:1] not in {"", "/"}:
        return path
    return re.sub(r"^/v\d+(?=/|$)", "", inner).strip("/")


def _is_go(found: Case, place: str, name: str) -> bool:
    last = place.rpartition("/")[2].rpartition(".")[2]
    whole = found.suite == place or found.suite.endswith(f"/{place}")
    return whole and bool(_GO_TEST.match(name)) and not last[:1].isupper()


def _is_python(found: Case, place: str, file: str) -> bool:
    if file:
        return file.endswith(".py")
    parts = place.split(".")
    return found.suite == "pytest" or (len(parts) > 1 and any(map(_PYTHON_MODULE.fullmatch, parts)))


def _python(place: str, name: str, file: str) -> Named:
    """`tests.test_x.TestY` and `test_z` are `tests/test_x.py::TestY::test_z`; a broken module is its file."""
    if not place:  # pytest could not import it
        path = name.replace(".", "/") + ".py" if re.fullmatch(r"\w+(\.\w+)*", name) else name
        return Named(path, unique=True, file=path)
    parts = place.split(".")
    module = file.removesuffix(".py").replace("/", ".").split(".") if file else parts[: _module_length(parts)]
    known = next((length for length in range(len(parts), 0, -1) if parts[:length] == module[-length:]), 0)
    classes = parts[known:]
    path = file or "/".join(module) + ".py"
    return Named("::".join([path, *classes, name]), unique=True, file=path)


def _module_length(parts: list[str]) -> int:
    """How many parts of a dotted name are the module: up to a test module, or before a class."""
    for length in range(len(parts), 0, -1):
        if _PYTHON_MODULE.fullmatch(parts[length - 1]):
            return length
    return next((length for length, part in enumerate(parts) if length and part[:1].isupper()), len(parts))
