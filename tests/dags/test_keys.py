import pytest

from steps.environment import CLOUD, PROXIES
from steps.keys import checked

TEMPLATE = {"PREFLIGHT_KEYS_POD_TEMPLATE": "/keys.yaml"}


def test_code_of_the_pull_request_gets_no_keys() -> None:
    with pytest.raises(ValueError, match="unit would hand A_KEY to code from the pull request"):
        checked({"task_id": "unit"}, {}, inherit=["A_KEY"], runs_their_code=True)


@pytest.mark.parametrize(
    ("inherit", "environ", "more"),
    [
        pytest.param(CLOUD, TEMPLATE, {"pod_template_file": "/keys.yaml"}, id="keys"),
        pytest.param(PROXIES, TEMPLATE, None, id="proxies are none"),
        pytest.param((), TEMPLATE, None, id="none"),
        pytest.param(CLOUD, {}, None, id="no template"),
    ],
)
def test_steps_with_keys_have_pods_apart(
    inherit: tuple[str, ...], environ: dict[str, str], more: dict[str, str] | None
) -> None:
    made = checked({"task_id": "unit"}, environ, inherit=inherit, runs_their_code=False)
    assert made.get("executor_config") == more


def test_a_pod_that_was_asked_for_stays() -> None:
    asked = {"task_id": "unit", "executor_config": {"pod_override": "x"}}
    assert checked(asked, TEMPLATE, inherit=CLOUD, runs_their_code=False) == asked
