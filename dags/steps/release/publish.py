"""`publish`: what `build` made, under the tags of a release."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from steps.arguments import chart_repository, registry, tag
from steps.errors import StepFailed
from steps.program import Step
from steps.release import builders, chart
from steps.release.build_info import BuildInfo
from steps.release.recipe import without_tag
from steps.release.registries import use_service_account
from steps.workspace import workspace

HELP = "push the image and chart that were built, as a release"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `publish` takes."""
    add = parser.add_argument
    add(
        "--build-info",
        type=Path,
        required=True,
        metavar="FILE",
        help="the build_info.yaml that `build` wrote",
    )
    add(
        "--tag",
        type=tag,
        action="append",
        required=True,
        help="tag of the release; may be given several times",
    )
    add("--registry", type=registry, metavar="HOST[/PATH]", help="default: where the image is")
    add(
        "--chart-repository",
        type=chart_repository,
        metavar="oci://HOST[/PATH]",
        help="where the chart goes; without it none is pushed",
    )
    add(
        "--builder",
        choices=builders.ENGINE_NAMES,
        default=builders.AUTO,
        help="default: the first that works",
    )


def run(args: argparse.Namespace, step: Step) -> Mapping[str, str]:
    """Publish; returns `image`, `commit` and, if one was pushed, `chart`."""
    use_service_account(step.tools)
    built = BuildInfo.read(args.build_info)
    if args.chart_repository:
        _check_chart(built, args.build_info)
    published = {"commit": built.commit}
    with workspace():
        with step.cases.case("image"):
            published["image"] = _image(args, step, built.image)
        if args.chart_repository:
            with step.cases.case("chart"):
                published["chart"] = chart.push(step.tools, Path(built.chart), args.chart_repository)
    if not step.dryrun:
        print(
            f"Published {published['image']}"
            + (f" and {published['chart']}" if args.chart_repository else "")
        )
    return published


def _check_chart(built: BuildInfo, file: Path) -> None:
    """Nothing is pushed when not all of it can be."""
    if not built.chart:
        raise StepFailed(
            f"{file} names no chart: build it with --chart, or publish without --chart-repository"
        )
    if not Path(built.chart).is_file():
        raise StepFailed(f"the chart {built.chart} is gone: build it anew")


def _image(args: argparse.Namespace, step: Step, image: str) -> str:
    engine = builders.engine(step.tools, args.builder)
    print(f"# engine: {engine.name}")
    name = without_tag(image)
    if args.registry:
        name = f"{args.registry}/{name.rpartition('/')[2]}"
    if "@" in image:  # it was pushed, perhaps by another machine
        engine.pull(step.tools, image)
    pushed = ""
    for release in args.tag:
        engine.tag(step.tools, image, f"{name}:{release}")
        pushed = engine.push(step.tools, f"{name}:{release}")
    return pushed
