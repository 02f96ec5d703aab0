"""A command line, taken apart."""

from typing import Any

Answer = tuple[int, str, str]
"""Exit code, standard output, standard error."""

Cloud = dict[str, Any]
"""All that there is, as JSON."""

_ALONE = frozenset(
    """
    --async --quiet -q --install --create-namespace --wait --wait-for-jobs --atomic --ignore-not-found
    --dry-run --all-namespaces -A --logs --push --load --pull --no-cache --all --force --all-containers
    --now --password-stdin --debug --short --client --follow --cleanup-on-fail --dependency-update
    --no-headers --reset-values
    """.split()  # noqa: SIM905 - thirty quoted words read worse
)


class Line:
    """Words and options: `--name=value`, `--name value`, `--flag`, `-n value`; all after `--` are words."""

    def __init__(self, argv: list[str]) -> None:
        self.words: list[str] = []
        self.options: dict[str, list[str]] = {}
        rest = list(argv)
        while rest:
            here = rest.pop(0)
            if here == "--":
                self.words += rest
                return
            if not here.startswith("-") or here == "-":
                self.words.append(here)
                continue
            name, equals, value = here.partition("=")
            if not equals and here not in _ALONE and rest and (rest[0] == "-" or not rest[0].startswith("-")):
                value = rest.pop(0)
            self.options.setdefault(name, []).append(value)

    def get(self, *names: str, default: str = "") -> str:
        """Return the last value of an option, under any of its names."""
        for name in names:
            if name in self.options:
                return self.options[name][-1]
        return default

    def has(self, *names: str) -> bool:
        """Whether an option is given, and not as `=false`."""
        return any(name in self.options and self.options[name][-1] != "false" for name in names)


def pairs(text: str) -> dict[str, str]:
    """Return `a=b,c=d` as a dict."""
    split = (each.partition("=") for each in text.replace("==", "=").split(","))
    return {key: value for key, _, value in split if key}
