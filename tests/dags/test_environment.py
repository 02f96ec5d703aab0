import pytest

from steps.environment import clean


@pytest.mark.parametrize(
    "name",
    [
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW_CONN_DB",
        "PREFLIGHT_NUDGE_SECRET",
        "GITHUB_TOKEN",
        "DATABASE_URL",
        "AWS_SECRET_ACCESS_KEY",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "PYTHONPATH",
        "PYTHONSAFEPATH",
        "LD_PRELOAD",
        "BASH_ENV",
        "GIT_DIR",
        "HOME",
        "STEP_OUTPUT",
    ],
)
def test_what_a_step_does_not_see(name: str) -> None:
    assert clean({name: "x"}) == {"TERM": "dumb"}


@pytest.mark.parametrize(
    "name", ["PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "no_proxy"]
)
def test_what_a_step_sees(name: str) -> None:
    assert clean({name: "x", "TERM": "xterm"}) == {name: "x", "TERM": "dumb"}


@pytest.mark.parametrize(
    ("proxy", "kept"),
    [
        ("http://proxy:3128", True),
        ("proxy:3128", True),
        ("http://user:password@proxy", False),
        ("user@proxy:1", False),
        ("http://[", False),
    ],
)
def test_a_proxy_with_a_password_reaches_only_steps_that_declare_it(proxy: str, *, kept: bool) -> None:
    assert ("HTTPS_PROXY" in clean({"HTTPS_PROXY": proxy})) is kept
    assert clean({"HTTPS_PROXY": proxy}, inherit=["HTTPS_PROXY"])["HTTPS_PROXY"] == proxy
