"""Keys of Airflow's that a step is given: only where it runs no code of the pull request."""

from collections.abc import Collection, Mapping
from typing import Any

from steps.environment import PROXIES


def checked(
    operator: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    inherit: Collection[str],
    runs_their_code: bool,
) -> dict[str, Any]:
    """Return what an operator is made of, with the pod that a step with keys needs.

    Only the KubernetesExecutor looks at that. There the pod's account is a key, too: so steps that have keys
    get pods apart from all others, from the template that PREFLIGHT_KEYS_POD_TEMPLATE names.

    Raises:
        ValueError: the step would hand keys to code of the pull request.
    """
    if runs_their_code and inherit:
        raise ValueError(
            f"{operator['task_id']} would hand {', '.join(inherit)} to code from the pull request: leave out "
            "`inherit`, or say runs_their_code=False where the step runs none."
        )
    template = environ.get("PREFLIGHT_KEYS_POD_TEMPLATE")
    has_keys = not {*inherit} <= {*PROXIES}
    pod = {"executor_config": {"pod_template_file": template}} if template and has_keys else {}
    return {**pod, **operator}
