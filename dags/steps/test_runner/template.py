"""A spec with `${name}` in it, filled in: values become parts of its texts and never of its structure.

The YAML is read first; only then are placeholders replaced, each within its own text. `${x}` stands for what
was declared; `$${x}` stays `${x}`; `$x`, `$$` and Kubernetes' own `$(x)` are left alone. Where an unquoted
placeholder is the whole of a value, digits become a number, true and false what they are: `replicas: ${n}`.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

import yaml

from steps.errors import StepFailed

_PLACEHOLDER = re.compile(r"\$(?P<kept>\$)?\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")
_TEXT = "tag:yaml.org,2002:str"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_MERGE = "tag:yaml.org,2002:merge"
_TYPED = (
    ("tag:yaml.org,2002:int", re.compile(r"-?(0|[1-9][0-9]{0,17})")),
    ("tag:yaml.org,2002:bool", re.compile(r"true|false")),
)
_OWN = frozenset({"name", "namespace", "release", "cluster"})
"""Which a spec need not use."""
_MOST_PARTS = 100_000
_DEEPEST = 60


def fill(text: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the object that a spec describes, with `values` in place of placeholders.

    Raises:
        StepFailed: it is no YAML, no single object, or uses what was not declared.
    """
    filling = _Filling(values)
    try:
        document = _document(text, filling)
    except yaml.YAMLError as error:
        raise StepFailed(f"the spec is no YAML of one document: {' '.join(str(error).split())}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise StepFailed(f"the spec can't be read: {error}") from None
    if not isinstance(document, dict):
        raise StepFailed("the spec is no Kubernetes object: it has to be a mapping with apiVersion and kind")
    if unused := sorted(values.keys() - filling.used - _OWN):
        print(f"# The spec does not use {', '.join(f'${{{name}}}' for name in unused)}.")
    plain: dict[str, Any] = _Plain().copied(document, 0)
    return plain


def _document(text: str, filling: "_Filling") -> object:
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        filling.fill(root)
        return loader.construct_document(root) if root is not None else None
    finally:
        loader.dispose()


class _Filling:
    """Fills in the texts of a document that was read, before they are made values."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.used: set[str] = set()

    def fill(self, root: yaml.Node | None) -> None:
        seen: set[int] = set()
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node is None or id(node) in seen:  # an alias of what was filled in
                continue
            seen.add(id(node))
            if isinstance(node, yaml.ScalarNode):
                self._fill_text(node)
            elif isinstance(node, yaml.MappingNode):
                if any(key.tag == _MERGE for key, _ in node.value):  # merges of merges grow without end
                    raise StepFailed("the spec has the key <<, which Kubernetes doesn't know: write it out")
                waiting += [part for pair in node.value for part in pair]
            else:
                waiting += node.value

    def _fill_text(self, node: yaml.ScalarNode) -> None:
        if node.tag == _TIMESTAMP:
            node.tag = _TEXT  # Kubernetes knows no dates
        if node.tag != _TEXT:
            return
        alone = _PLACEHOLDER.fullmatch(node.value)
        node.value = _PLACEHOLDER.sub(self._value, node.value)
        if node.style is None and alone is not None and not alone["kept"]:
            node.tag = next((tag for tag, pattern in _TYPED if pattern.fullmatch(node.value)), _TEXT)

    def _value(self, found: re.Match[str]) -> str:
        name = found["name"]
        if found["kept"]:
            return f"${{{name}}}"
        if name not in self._values:
            raise StepFailed(
                f"the spec uses ${{{name}}}, which is not declared: give --set={name}=VALUE, or write "
                f"$${{{name}}} to keep it as it is. Declared: {', '.join(sorted(self._values))}"
            )
        self.used.add(name)
        return self._values[name]


class _Plain:
    """Copies what was read, as JSON has it; what refers to itself or grows without end is refused."""

    def __init__(self) -> None:
        self._left = _MOST_PARTS

    def copied(self, value: Any, depth: int) -> Any:  # noqa: ANN401 - whatever YAML holds
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise StepFailed(f"the spec has more than {_MOST_PARTS} parts, or is nested too deep")
        if isinstance(value, dict):
            return {self._key(key): self.copied(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.copied(inner, depth + 1) for inner in value]
        if value is None or isinstance(value, (str, bool, int)):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        raise StepFailed(f"the spec holds {value!r:.100}, which Kubernetes can't have")

    def _key(self, key: object) -> str:
        if not isinstance(key, str):
            raise StepFailed(f"the spec has the key {key!r:.100}, which is no text: put it into quotes")
        return key
