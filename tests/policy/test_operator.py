"""The operator's word, and the file that holds it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SettingsError
from bot.models import Dag, Repository
from bot.policy.operator import Defaults, Operator, SecretPattern, Serve
from bot.policy.operator_file import read_operator
from tests.policy.test_configuration_schema import examples

WIDGETS = Repository(1, "acme/widgets")
CHECKS = Dag("checks", frozenset({"preflight"}), paused=False, params={})
OTHER = Dag("e2e_gke", frozenset(), paused=False, params={})

WHOLE = """\
max_concurrency = 50
trust = ["acme", "acme/ci", "renovate[bot]"]
redact = ["acme-[0-9]+", "(?i)key ([a-z]+)"]

[defaults]
timeout = "2h"
max_concurrency = 3

[[serve]]
repositories = ["acme/widgets"]
dags = ["e2e_*", "checks"]
max_concurrency = 5

[[serve]]
repositories = ["acme/*", "zoo/ape"]
"""


def complaint(text: str) -> str:
    """What is wrong with the file."""
    with pytest.raises(SettingsError) as caught:
        read_operator(text, "preflight.toml")
    return str(caught.value)


class TestTheFile:
    def test_says_all_of_it(self) -> None:
        assert read_operator(WHOLE, "x") == Operator(
            serves=(
                Serve(("acme/widgets",), ("e2e_*", "checks"), 5),
                Serve(("acme/*", "zoo/ape")),
            ),
            trust=("acme", "acme/ci", "renovate[bot]"),
            max_concurrency=50,
            defaults=Defaults(timeout=7200.0, max_concurrency=3),
            redact=(SecretPattern("acme-[0-9]+"), SecretPattern("(?i)key ([a-z]+)")),
        )

    def test_its_secrets_are_told_from_literal_ones(self) -> None:
        assert all(isinstance(one, SecretPattern) for one in read_operator(WHOLE, "x").redact)

    def test_may_be_empty(self) -> None:
        assert read_operator("", "x") == Operator()

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            pytest.param(
                "trusted = []", "preflight.toml:1: unknown key 'trusted': did you mean 'trust'?", id="key"
            ),
            pytest.param("\n[[serves]]\n", "preflight.toml:2: unknown key 'serves'", id="table"),
            pytest.param(
                "[defaults]\n\ntimeouts = 3",
                "preflight.toml:3: unknown key 'defaults.timeouts'",
                id="default",
            ),
            pytest.param("[defaults]\ntimeout = '2x'", "preflight.toml:2: 'defaults.timeout'", id="timeout"),
            pytest.param(
                "max_concurrency = '3'", "preflight.toml:1: 'max_concurrency': must be a whole", id="text"
            ),
            pytest.param("max_concurrency = 0", "greater than or equal to 1", id="none-at-once"),
            pytest.param("trust = 'acme'", "must be a list", id="no-list"),
            pytest.param("trust = ['@acme']", "an organisation (acme)", id="trust"),
            pytest.param("serve = 3", "must be a list", id="serve"),
            pytest.param("[serve]\nrepositories = []", "must be a list", id="one-bracket"),
            pytest.param(
                "[[serve]]\nrepositories = []", "preflight.toml:2: 'serve.repositories': is empty", id="empty"
            ),
            pytest.param("[[serve]]\nrepositories = ['acme']", "OWNER/NAME", id="no-pattern"),
            pytest.param("[[serve]]\ndags = ['a b']", "preflight.toml:2: 'serve.dags'", id="dag"),
            pytest.param(
                "[[serve]]\ndags = ['a']\n[[serve]]\ndag = ['a']",
                "preflight.toml:4: unknown key 'serve.dag': did you mean 'dags'?",
                id="second-table",
            ),
            pytest.param(
                "[[serve]]\nrepositories = ['a/*']\n[[serve]]\nrepositories = ['a/*']",
                "'a/*' is served twice",
                id="twice",
            ),
            pytest.param(
                "redact = ['a', '(']",
                "preflight.toml:1: 'redact': the pattern '(' can't be used",
                id="pattern",
            ),
            pytest.param("redact = ['(?=a)']", "can't be used", id="look-around"),
            pytest.param("redact = ['x*']", "matches everything: say what must be in it", id="everything"),
            pytest.param("redact = ['']", "is empty", id="no pattern"),
            pytest.param("redact = 'x'", "must be a list", id="one pattern"),
            pytest.param(f"redact = ['{'x' * 501}']", "at most 500 characters", id="long pattern"),
            pytest.param(f"redact = {['x'] * 51}", "at most 50 entries", id="many patterns"),
            pytest.param("a = \n", "preflight.toml:1: not valid TOML", id="no-toml"),
            pytest.param("a = 1\na = 2\n", "not valid TOML", id="duplicate"),
            pytest.param("[[serve]", "not valid TOML", id="cut-off"),
        ],
    )
    def test_is_read_strictly(self, text: str, says: str) -> None:
        assert says in complaint(text)

    def test_tells_all_problems_at_once(self) -> None:
        assert len(complaint("a = 1\nb = 2\nmax_concurrency = 'x'\n").splitlines()) == 3

    @given(st.text(alphabet="[]serv=\"'ax/*.\n 3#", max_size=40))
    def test_is_read_or_refused(self, text: str) -> None:
        with suppress(SettingsError):
            read_operator(text, "x")

    @pytest.mark.parametrize("example", examples("toml"))
    def test_the_references_examples_are_fine(self, example: str) -> None:
        read_operator(example, "x")


class TestServing:
    @pytest.mark.parametrize(
        ("pattern", "name", "expected"),
        [
            ("acme/*", "acme/widgets", True),
            ("Acme/*", "aCME/Widgets", True),
            ("acme/*", "acme-evil/widgets", False),
            ("acme/w*", "acme/gadgets", False),
            ("*/*", "zoo/ape", True),
        ],
    )
    def test_patterns(self, pattern: str, name: str, *, expected: bool) -> None:
        assert (Operator((Serve((pattern,)),)).serve(Repository(1, name)) is not None) is expected

    def test_the_first_that_covers_a_repository_counts(self) -> None:
        first = Serve(("acme/widgets",), ("checks",))
        assert Operator((first, Serve(("acme/*",)))).serve(WIDGETS) is first

    def test_without_names_the_apps_owners_are_meant(self) -> None:
        operator = Operator((Serve(max_concurrency=3), Serve(("zoo/*",))), trust=("x",))
        assert operator.owned_by("Acme").serves == (Serve(("Acme/*",), None, 3), Serve(("zoo/*",)))
        assert operator.owned_by("acme").trust == ("x",)

    def test_and_nobodys_where_there_is_no_app(self) -> None:
        operator = Operator((Serve(),))
        assert operator.serve(WIDGETS) is None
        assert operator.owned_by(None).serve(WIDGETS) is None


class TestDags:
    @pytest.mark.parametrize(
        ("serve", "dag", "refusal"),
        [
            (Serve(("acme/*",)), CHECKS, None),
            (Serve(("acme/*",)), OTHER, "has no tag 'preflight'"),
            (Serve(("acme/*",), ("e2e_*",)), OTHER, None),
            (Serve(("acme/*",), ("e2e_*",)), CHECKS, "the operator does not list it"),
        ],
    )
    def test_are_those_listed_or_else_those_tagged(self, serve: Serve, dag: Dag, refusal: str | None) -> None:
        said = Operator((serve,)).refuses(WIDGETS, dag)
        assert said is None if refusal is None else refusal in str(said)
