"""What pipelines say about each other: `needs`, which must exist, form no circle and be able to come true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.policy.configuration.problems import Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.policy.configuration.models import Configuration, Pipeline


MAX_INPUTS = 200


def problems_of_references(configuration: Configuration) -> Iterator[Problem]:
    """What is wrong between the pipelines of a file that is right by itself."""
    pipelines = configuration.pipelines
    names: dict[str, str] = {}
    if sum(len(pipeline.inputs) for pipeline in pipelines.values()) > MAX_INPUTS:
        yield Problem(1, f"the file has more than {MAX_INPUTS} inputs", configuration.source)
    for name, pipeline in pipelines.items():
        first = names.setdefault(name.lower(), name)
        if first != name:
            line = configuration.line("pipelines", name)
            same = f"{name!r} and {first!r} are one name to GitHub, which ignores letter case: choose another"
            yield Problem(line, same, configuration.source)
        for at, need in enumerate(pipeline.needs):
            text = _wrong_need(name, need, pipelines)
            if text is not None:
                line = configuration.line("pipelines", name, "needs", at)
                yield Problem(line, text, configuration.source)
        for key in pipeline.inputs.keys() & pipeline.params.keys():
            if pipeline.inputs[key].default is not None:
                line = configuration.line("pipelines", name, "inputs", key, "default")
                text = f"{key!r} has a value under 'params', too: keep that or the default"
                yield Problem(line, text, configuration.source)
    circle = _circle(pipelines)
    if circle:
        line = configuration.line("pipelines", circle[0], "needs")
        text = f"these pipelines wait for each other: {' needs '.join((*circle, circle[0]))}"
        yield Problem(line, text, configuration.source)


def _wrong_need(name: str, need: str, pipelines: Mapping[str, Pipeline]) -> str | None:
    if need == name:
        return f"{name!r} can't need itself"
    if need not in pipelines:
        return f"{name!r} needs {need!r}, which is no pipeline{did_you_mean(need, pipelines.keys() - {name})}"
    unheard = [event for event in pipelines[name].on if event not in pipelines[need].on]
    if unheard:
        return f"{name!r} runs on {unheard[0]}, but {need!r}, which it needs, does not: it would wait forever"
    if pipelines[need].manual and not pipelines[name].manual:
        alone = [event for event in pipelines[name].on if event != "pull_request"]
        if alone:
            return (
                f"{name!r} runs on {alone[0]}, where nobody can ask for {need!r}, which it needs "
                "and which is manual: it would wait forever"
            )
    return None


def _circle(pipelines: Mapping[str, Pipeline]) -> list[str]:
    """The first circle of needs, without those of a pipeline that needs itself; empty if there is none."""
    done: set[str] = set()
    for start in pipelines:
        way: list[str] = []
        waiting = [iter([start])]
        while waiting:
            need = next(waiting[-1], None)
            if need is None:
                waiting.pop()
                if way:
                    done.add(way.pop())
            elif need in way and need != way[-1]:
                return way[way.index(need) :]
            elif need not in done and need not in way and need in pipelines:
                way.append(need)
                waiting.append(iter(pipelines[need].needs))
    return []
