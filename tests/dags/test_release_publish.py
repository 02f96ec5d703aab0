"""`release publish`: what was built, under the tags of a release."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from steps.errors import StepFailed
from steps.release.build_info import BuildInfo
from steps.release.recipe import with_digest, without_tag
from tests.dags.clones import Step, cases
from tests.dags.conftest import Done
from tests.dags.tools.stand_ins import StandIns

DIGEST = "sha256:" + "7" * 64
COMMIT = "c" * 40

Publish = Callable[..., Done]


@pytest.fixture
def tools(tmp_path: Path) -> StandIns:
    """An engine that knows an image: one that was built here, and one of the registry that it pulls."""
    tools = StandIns.install(tmp_path / "tools")
    with tools.change() as cloud:
        cloud["images"] |= {"app:c0ffee": DIGEST, f"r.example/x/app@{DIGEST}": DIGEST}
    return tools


@pytest.fixture
def publish(step: Step, tools: StandIns, tmp_path: Path) -> Publish:
    """Publish what `build` is said to have made."""
    chart = tmp_path / "app-1.2.3.tgz"
    chart.write_bytes(b"a chart")

    def run(*options: str, image: str = "app:c0ffee", home: Path = tmp_path, **built: str) -> Done:
        file = tmp_path / "build_info.yaml"
        file.write_text(yaml.safe_dump({"image": image, "commit": COMMIT, "chart": str(chart)} | built))
        return step(
            "steps.release", "publish", f"--build-info={file}", *options, PATH=tools.path, HOME=str(home)
        )

    return run


def handed_on(done: Done) -> dict[str, str]:
    assert done.exit_code == 0, done.output
    values: dict[str, str] = json.loads(done.handed_on.read_text())
    return values


def test_an_image_of_this_machine_is_tagged_and_pushed(publish: Publish, tools: StandIns) -> None:
    done = publish("--tag=v1.0.0", "--registry=r.example/x")
    assert handed_on(done) == {"image": f"r.example/x/app@{DIGEST}", "commit": COMMIT}
    assert tools.cloud["registry"] == {"r.example/x/app:v1.0.0": DIGEST}
    assert tools.calls("pull") == []


def test_an_image_of_a_registry_is_fetched_and_gets_all_tags_there(publish: Publish, tools: StandIns) -> None:
    image = f"r.example/x/app@{DIGEST}"
    assert handed_on(publish("--tag=v1.0.0", "--tag=latest", image=image))["image"] == image
    assert tools.cloud["registry"] == {f"r.example/x/app:{tag}": DIGEST for tag in ("v1.0.0", "latest")}
    assert tools.commands("docker pull") == [f"docker pull {image}"]


def test_the_chart_goes_to_its_repository(publish: Publish, tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    done = publish("--tag=v1", "--chart-repository=oci://r.example/charts", f"--junit_path={report}")
    assert handed_on(done)["chart"] == "oci://r.example/charts/app:1.2.3"
    assert cases(report) == {"image": "passed", "chart": "passed"}


@pytest.mark.parametrize(
    ("chart", "reason"),
    [("", "names no chart"), ("/nowhere/app.tgz", "/nowhere/app.tgz is gone")],
    ids=["no chart", "a chart that is gone"],
)
def test_nothing_is_pushed_when_not_all_of_it_can_be(
    publish: Publish, tools: StandIns, chart: str, reason: str
) -> None:
    done = publish("--tag=v1", "--chart-repository=oci://r.example/charts", chart=chart)
    assert (done.exit_code, reason in done.output, tools.calls()) == (1, True, []), done.output


def test_googles_registries_are_signed_in_to_with_a_token_that_no_argument_holds(
    publish: Publish, tools: StandIns
) -> None:
    tools.says("gcloud auth print-access-token", stdout="ya29.s3cret\n")
    done = publish(
        *("--tag=v1", "--registry=europe-docker.pkg.dev/p/r"),
        "--chart-repository=oci://europe-docker.pkg.dev/p/charts",
    )
    assert handed_on(done)["image"] == f"europe-docker.pkg.dev/p/r/app@{DIGEST}"
    logins = tools.calls("login")
    assert [str(call) for call in logins] == [
        "docker login --username=oauth2accesstoken --password-stdin europe-docker.pkg.dev",
        "helm registry login --username=oauth2accesstoken --password-stdin europe-docker.pkg.dev",
    ]
    assert {call.stdin for call in logins} == {"ya29.s3cret"}
    assert "s3cret" not in done.output


@pytest.mark.parametrize("key", ["auths", "credHelpers"])
def test_who_has_signed_in_already_stays_so(
    publish: Publish, tools: StandIns, tmp_path: Path, key: str
) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps({key: {"gcr.io": {}}}))
    handed_on(publish("--tag=v1", "--registry=gcr.io/p", home=tmp_path))
    assert tools.calls("login") == []


def test_other_registries_are_not(publish: Publish, tools: StandIns) -> None:
    handed_on(publish("--tag=v1", "--registry=gcr.io.example/x"))
    assert tools.calls("gcloud") == []


def test_a_dry_run_prints_what_would_run_and_runs_nothing(publish: Publish, tools: StandIns) -> None:
    done = publish(
        *("--tag=v1", "--tag=v1.2", "--builder=podman", "--dryrun"),
        "--chart-repository=oci://r.example/charts",
        image=f"r.example/x/app@{DIGEST}",
        chart=__file__,
    )
    assert done.output.replace(__file__, "CHART").splitlines() == [
        "podman info '--format={{.Version.Version}}'",
        "# engine: podman",
        f"podman pull r.example/x/app@{DIGEST}",
        *(
            line
            for tag in ("v1", "v1.2")
            for line in (
                f"podman tag r.example/x/app@{DIGEST} r.example/x/app:{tag}",
                f"podman push --digestfile=DIGEST_FILE r.example/x/app:{tag}",
            )
        ),
        "helm push CHART oci://r.example/charts",
    ]
    assert tools.calls() == []


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--chart-repository=https://r.example", "oci://"),
        ("--chart-repository=oci://", "oci://"),
        ("--tag=-x", "not a tag"),
        ("--builder=cloudbuild", "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_refused(publish: Publish, option: str, reason: str) -> None:
    done = publish("--tag=v1", option)
    assert (done.exit_code, reason in done.output) == (2, True), done.output


class TestBuildInfo:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param("", id="empty"),
            pytest.param("- image", id="a list"),
            pytest.param("commit: x", id="no image"),
            pytest.param("image: [a]", id="a list of images"),
            pytest.param("image: --privileged", id="an option"),
            pytest.param('image: "a\\nb"', id="two lines"),
            pytest.param("image: !!python/object/apply:os.system [id]", id="code"),
            pytest.param("{", id="no YAML"),
        ],
    )
    def test_that_is_none_is_said(self, tmp_path: Path, content: str) -> None:
        file = tmp_path / "build_info.yaml"
        file.write_text(content)
        with pytest.raises(StepFailed, match=r"is no build_info\.yaml"):
            BuildInfo.read(file)

    def test_that_is_missing_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(StepFailed, match="`build` writes it"):
            BuildInfo.read(tmp_path / "build_info.yaml")

    @given(
        image=st.from_regex(r"[a-z0-9./:@]{1,40}", fullmatch=True),
        commit=st.from_regex(r"[0-9a-f]{40}", fullmatch=True),
        chart=st.from_regex(r"(/[a-z 0-9.#'é-]{1,20})?", fullmatch=True),
    )
    def test_comes_back_as_it_was_written(
        self, tmp_path_factory: pytest.TempPathFactory, image: str, commit: str, chart: str
    ) -> None:
        file = tmp_path_factory.getbasetemp() / "build_info.yaml"
        one = BuildInfo(image, commit, chart)
        one.write(file)
        assert BuildInfo.read(file) == one


class TestNamesOfImages:
    @pytest.mark.parametrize(
        ("reference", "name"),
        [
            ("app", "app"),
            ("app:v1", "app"),
            ("r.example:5000/x/app", "r.example:5000/x/app"),
            ("r.example:5000/x/app:v1", "r.example:5000/x/app"),
            (f"r.example/x/app@{DIGEST}", "r.example/x/app"),
            (f"r.example/x/app:v1@{DIGEST}", "r.example/x/app"),
        ],
    )
    def test_without_tag_and_digest(self, reference: str, name: str) -> None:
        assert without_tag(reference) == name

    @pytest.mark.parametrize("digest", ["", "sha256:1", "<none>", f"{DIGEST}\n"])
    def test_a_digest_that_is_none_is_said(self, digest: str) -> None:
        with pytest.raises(StepFailed, match="nobody tells its digest"):
            with_digest("app", digest)
