"""`build`: a container image and a Helm chart of the cloned source."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from steps import archive
from steps.arguments import image, registry, tag
from steps.deploy import names
from steps.program import Step
from steps.release import builders, chart
from steps.release.build_info import NAME, BuildInfo
from steps.release.cloud_build import CloudBuild
from steps.release.recipe import Recipe
from steps.release.registries import use_service_account
from steps.release.source import Source
from steps.workspace import workspace

HELP = "build the image, and pack the chart, of the cloned source"
_TAG_DIGITS = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `build` takes."""
    add = parser.add_argument
    add("--archive", type=Path, required=True, help="what `clone` packed")
    add(
        "--image",
        type=image,
        required=True,
        metavar="NAME",
        help="name of the image, without registry and tag",
    )
    add("--registry", type=registry, metavar="HOST[/PATH]", help="where the image goes")
    add("--tag", type=tag, help=f"default: the first {_TAG_DIGITS} digits of the commit")
    add("--dockerfile", default="", metavar="FILE", help="in the source; default: Dockerfile in the context")
    add("--context", default=".", metavar="DIR", help="in the source; default: its root")
    add("--chart", default="", metavar="DIR", help="in the source; without it no chart is packed")
    add(
        "--charts",
        type=Path,
        metavar="FOLDER",
        help="where the chart goes; default: charts, beside the archive",
    )
    add("--builder", choices=builders.NAMES, default=builders.AUTO, help="default: the first that works")
    add("--project", type=names.project, help="Google Cloud project of cloudbuild")
    add(
        "--build-account",
        type=names.account,
        metavar="EMAIL",
        help="as whom cloudbuild builds; default: preflight-builds of the project, by deploy/gcp/setup",
    )
    add(
        "--build-bucket",
        type=names.bucket,
        metavar="BUCKET",
        help="where cloudbuild keeps sources and logs; default: PROJECT-preflight-builds, likewise",
    )
    add("--push", action="store_true", help="push the image")
    add(
        "--artifacts",
        type=Path,
        default=Path(os.environ.get("ARTIFACTS") or "."),
        help=f"folder for {NAME}; default: $ARTIFACTS",
    )


def run(args: argparse.Namespace, step: Step) -> Mapping[str, str]:
    """Build; returns `image`, `commit` and, if there is one, `chart`."""
    use_service_account(step.tools)
    if step.dryrun:
        print(f"# SOURCE is a fresh copy of {args.archive}")
        made = _make(args, step, Source.foretold(args.archive))
        said = ", ".join(f"{name} {value}" for name, value in made.values().items())
        print(f"# then {args.artifacts / NAME} says: {said}")
        return {}
    with workspace() as folder:
        made = _make(args, step, Source.unpacked(args.archive, folder / "source"))
    if made.chart:
        chart.keep(Path(made.chart), args.artifacts)
    made.write(args.artifacts / NAME)
    print(f"Built {made.image} of {made.commit}")
    return made.values()


def _make(args: argparse.Namespace, step: Step, source: Source) -> BuildInfo:
    with step.cases.case("image"):
        image_ = _image(args, step, _recipe(args, source))
    packed = ""
    if args.chart:
        with step.cases.case("chart"):
            charts = args.charts or args.archive.parent / archive.CHARTS
            packed = str(chart.package(step.tools, source.chart(args.chart), charts.resolve(), source.commit))
    return BuildInfo(image_, source.commit, packed)


def _recipe(args: argparse.Namespace, source: Source) -> Recipe:
    dockerfile = source.inside(args.dockerfile or str(Path(args.context, "Dockerfile")))
    context = source.context(args.context, dockerfile)
    return Recipe(
        name=f"{args.registry}/{args.image}" if args.registry else args.image,
        tag=args.tag or source.commit[:_TAG_DIGITS],
        context=context,
        dockerfile=dockerfile,
        # https://github.com/opencontainers/image-spec/blob/main/annotations.md
        labels={
            "org.opencontainers.image.revision": source.commit,
            "org.opencontainers.image.source": source.url.removesuffix(".git"),
        },
    )


def _image(args: argparse.Namespace, step: Step, recipe: Recipe) -> str:
    cloud = CloudBuild(args.project or "", args.push, args.build_account or "", args.build_bucket or "")
    chosen = builders.builder(step.tools, args.builder, cloud)
    print(f"# builder: {chosen.name}")
    if isinstance(chosen, CloudBuild):
        return chosen.build_and_push(step.tools, recipe)
    chosen.build(step.tools, recipe)
    return chosen.push(step.tools, recipe.reference) if args.push else recipe.reference
