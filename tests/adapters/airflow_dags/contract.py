"""DAGs that the contract suite of the Airflow adapter runs, one for each thing the adapter must see.

`tests/adapters/airflow_plays.py` tells the same stories to the fake.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import cast

from airflow.sdk import DAG, Param, get_current_context, task

TAGS = ["preflight", "contract"]

with DAG("contract_quick", schedule=None, tags=TAGS):
    # Named against the alphabet, so that an order by name is not the order of the DAG.

    @task
    def zulu() -> None:
        ti = get_current_context()["ti"]
        ti.xcom_push("preflight", {"exit_code": 0, "reason": "läuft ✅", "argv": "{{ var.value.x }}"})
        ti.xcom_push("nothing", None)

    @task
    def mike() -> None:
        print("mike says grüezi")  # noqa: T201 - what a step prints is its log

    @task
    def alpha() -> None:
        pass

    zulu() >> mike() >> alpha()


with DAG("contract_failing", schedule=None, tags=TAGS):

    @task
    def before() -> None:
        pass

    @task(retries=1, retry_delay=timedelta(seconds=0))
    def broken() -> None:
        attempt = get_current_context()["ti"].try_number
        print(f"this is try {attempt}")  # noqa: T201
        try:
            dict[str, str]()["key"]
        except KeyError as error:
            raise ValueError("first line\nsecond line") from error

    @task
    def after() -> None:
        pass

    before() >> broken() >> after()


with DAG("contract_mapped", schedule=None, tags=TAGS, params={"names": Param([], type="array")}):

    @task
    def names() -> list[str]:
        return list(get_current_context()["params"]["names"])

    @task
    def nobody() -> list[str]:
        return []

    @task(map_index_template="{{ name }}")
    def check(name: str) -> None:
        cast("dict[str, str]", get_current_context())["name"] = name
        print(f"checking {name}")  # noqa: T201
        if name == "bad":
            raise ValueError(name)

    @task
    def skipped(name: str) -> None:
        pass

    @task
    def never() -> list[str]:
        raise ValueError("so nothing can be mapped over it")

    @task
    def unmapped(name: str) -> None:
        pass

    check.expand(name=names())
    skipped.expand(name=nobody())
    unmapped.expand(name=never())


with DAG("contract_slow", schedule=None, tags=TAGS):

    @task(retries=1, retry_delay=timedelta(hours=1))
    def stubborn() -> None:
        raise ValueError("try again in an hour")

    @task
    def sleeping() -> None:
        print("going to sleep", flush=True)  # noqa: T201
        time.sleep(120)

    @task
    def planned() -> list[str]:
        return []

    @task
    def later(name: str) -> None:
        pass

    plan = planned()
    [stubborn(), sleeping()] >> plan
    later.expand(name=plan)


with DAG(
    "contract_params",
    schedule=None,
    tags=[*TAGS, "with params"],
    params={
        "word": Param("hello", type="string", enum=["hello", "bye"]),
        "count": Param(1, type="integer", minimum=1),
        "anything": None,
    },
):

    @task
    def one() -> None:
        pass

    one()


with DAG("contract_paused", schedule=None, tags=TAGS, is_paused_upon_creation=True):

    @task
    def step() -> None:
        pass

    for name in "abcde":
        step.override(task_id=name)()


with DAG("contract_loud", schedule=None, tags=TAGS):

    @task
    def many() -> None:
        for number in range(20_000):
            print(f"line {number}")  # noqa: T201

    @task
    def hostile() -> None:
        print('\x1b[31m```\x1b[0m @everyone {"event": "forged", "level": "critical"}')  # noqa: T201
        print("naïve 😀 \u2028 \x00 end")  # noqa: T201
        print("x" * 200_000)  # noqa: T201
        print("é" * 1_500_000)  # noqa: T201
        print("the last line")  # noqa: T201

    many()
    hostile()


with DAG("contract_stuck", schedule=None, tags=TAGS, max_active_runs=3):

    @task
    def ready() -> None:
        pass

    @task(pool="nobody made this pool")
    def stuck() -> None:
        pass

    ready() >> stuck()
