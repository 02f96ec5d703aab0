"""`release build`: an image and a chart of what was cloned, by whichever builder works."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from steps import archive
from steps.release.engines import is_temporary_build
from tests.dags.clones import Step, cases
from tests.dags.conftest import Done
from tests.dags.tools.stand_ins import StandIns

COMMIT = "c0ffee" * 6 + "c0ff"
DIGEST = "sha256:" + "1".rjust(64, "0")
NO_ENGINE = (
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
)

Build = Callable[..., Done]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What was cloned."""
    tree = tmp_path / "tree"
    (tree / "app" / "chart" / "templates").mkdir(parents=True)
    (tree / "Dockerfile").write_text("FROM scratch\n")
    (tree / "app" / "Dockerfile").write_text("FROM scratch\n")
    (tree / "app" / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: app\nversion: 1.2.3\n")
    return tree


@pytest.fixture
def tools(tmp_path: Path) -> StandIns:
    return StandIns.install(tmp_path / "tools")


@pytest.fixture
def build(step: Step, tree: Path, tools: StandIns, tmp_path: Path) -> Build:
    """Pack the tree as `clone` does, and build it."""

    def run(*options: str, **environment: str) -> Done:
        packed = tmp_path / "run" / "source.tar.gz"
        labels = {"preflight.commit": COMMIT, "preflight.url": "https://git.example/acme/app.git"}
        archive.pack(tree, packed, labels)
        given = {"PATH": tools.path, "ARTIFACTS": str(tmp_path / "artifacts"), "HOME": str(tmp_path)}
        return step("steps.release", "build", f"--archive={packed}", *options, **(given | environment))

    return run


def handed_on(done: Done) -> dict[str, str]:
    assert done.exit_code == 0, done.output
    values: dict[str, str] = json.loads(done.handed_on.read_text())
    return values


class TestTheImage:
    @pytest.mark.parametrize("engine", ["docker", "podman", "buildah"])
    def test_is_built_by_any_engine_and_says_what_it_is_made_of(
        self, build: Build, tools: StandIns, engine: str
    ) -> None:
        done = build("--image=acme/app", f"--builder={engine}")
        assert handed_on(done) == {"image": "acme/app:c0ffeec0ffee", "commit": COMMIT}
        (call,) = [call for call in tools.calls("build") if call.argv[0] == "build"]
        assert call.program == engine
        options = [word for word in call.argv if word.startswith(("--tag", "--label"))]
        assert options == [
            "--tag=acme/app:c0ffeec0ffee",
            f"--label=org.opencontainers.image.revision={COMMIT}",
            "--label=org.opencontainers.image.source=https://git.example/acme/app",
        ]
        assert tools.calls("push") == []
        assert done.left_behind == []

    @pytest.mark.parametrize("engine", ["docker", "podman", "buildah"])
    def test_is_named_by_its_digest_once_it_is_pushed(
        self, build: Build, tools: StandIns, engine: str
    ) -> None:
        done = build("--image=app", "--registry=r.example:5000/x", "--push", f"--builder={engine}")
        assert handed_on(done)["image"] == f"r.example:5000/x/app@{DIGEST}"
        assert [*tools.cloud["registry"]] == ["r.example:5000/x/app:c0ffeec0ffee"]

    def test_can_be_of_another_file_folder_and_tag(self, build: Build, tools: StandIns) -> None:
        done = build("--image=app", "--tag=v1", "--context=app", "--dockerfile=Dockerfile")
        assert handed_on(done)["image"] == "app:v1"
        argv = tools.calls("build")[0].argv
        assert argv[-1].endswith("/source/app")
        assert argv[1].endswith("/source/Dockerfile")

    def test_is_told_in_build_info(self, build: Build, tmp_path: Path) -> None:
        values = handed_on(build("--image=app", "--chart=app/chart"))
        assert yaml.safe_load((tmp_path / "artifacts" / "build_info.yaml").read_text()) == values
        assert [*values] == ["image", "commit", "chart"]

    def test_that_does_not_build_fails_with_what_the_engine_said(
        self, build: Build, tools: StandIns, tmp_path: Path
    ) -> None:
        tools.says("docker build", stderr="ERROR: failed to solve: no such stage\n", exit_code=1)
        report = tmp_path / "junit.xml"
        done = build("--image=app", "--chart=app/chart", f"--junit_path={report}")
        assert (done.exit_code, "no such stage" in done.handed_on.read_text()) == (1, True), done.output
        assert [*cases(report)] == ["image"]
        assert not (tmp_path / "artifacts").exists()

    @pytest.mark.parametrize(
        ("engine", "said"),
        [
            pytest.param(
                "docker",
                '#7 0.3 connection refused\n#7 ERROR: process "/bin/sh -c make" did not complete '
                'successfully: exit code: 1\nERROR: failed to solve: process "/bin/sh -c make; echo 503 '
                'Service Unavailable" did not complete successfully: exit code: 1\n',
                id="docker",
            ),
            pytest.param(
                "docker",
                "Error: try again\nThe command '/bin/sh -c make' returned a non-zero code: 2\n",
                id="docker, the builder before",
            ),
            pytest.param(
                "podman",
                'ERROR: i/o timeout\nError: building at STEP "RUN make": while running runtime: exit '
                "status 1\n",
                id="podman",
            ),
            pytest.param("docker", "#7 0.3 please try again\nERROR: failed to solve: x\n", id="other words"),
        ],
    )
    def test_that_fails_by_its_own_commands_is_built_once_whatever_they_print(
        self, build: Build, tools: StandIns, engine: str, said: str
    ) -> None:
        tools.says(f"{engine} build", stderr=said, exit_code=1)
        done = build("--image=app", f"--builder={engine}")
        assert (done.exit_code, len(tools.calls(f"{engine} build"))) == (1, 1), done.output

    @pytest.mark.parametrize(
        "said",
        [
            pytest.param(
                "#2 [internal] load metadata\nERROR: failed to solve: alpine: failed to resolve source "
                "metadata for docker.io/library/alpine:3: dial tcp: lookup r.docker.io: i/o timeout\n",
                id="docker",
            ),
            pytest.param(
                'Error response from daemon: Get "https://registry-1.docker.io/v2/": TLS handshake timeout\n',
                id="docker, the builder before",
            ),
            pytest.param(
                "STEP 1/2: FROM alpine\nError: creating build container: initializing source "
                "docker://alpine: received unexpected HTTP status: 503 Service Unavailable\n",
                id="podman",
            ),
        ],
    )
    def test_whose_base_can_not_be_pulled_now_may_come_later(self, said: str) -> None:
        assert is_temporary_build(said)

    @pytest.mark.parametrize(
        ("engine", "proxy", "options"),
        [
            ("podman", "http://user:s3cret@proxy.example:3128", {"--http-proxy=false"}),
            ("buildah", "http://user:s3cret@proxy.example:3128", {"--http-proxy=false"}),
            ("podman", "http://proxy.example:3128", set()),
            ("docker", "http://user:s3cret@proxy.example:3128", set()),  # hands none on by itself
        ],
    )
    def test_never_sees_the_password_of_a_proxy(
        self, build: Build, tools: StandIns, engine: str, proxy: str, options: set[str]
    ) -> None:
        done = build("--image=app", f"--builder={engine}", HTTPS_PROXY=proxy)
        (call,) = [call for call in tools.calls("build") if call.argv[0] == "build"]
        assert {word for word in call.argv if "proxy" in word} == options
        assert "s3cret" not in done.output + str(call.argv)

    def test_a_registry_that_is_busy_is_asked_again(self, build: Build, tools: StandIns) -> None:
        tools.says(
            "docker push",
            stderr="received unexpected HTTP status: 503 Service Unavailable\n",
            exit_code=1,
            times=1,
        )
        done = build("--image=app", "--push", PREFLIGHT_TEST="1")
        assert handed_on(done)["image"] == f"app@{DIGEST}"
        assert len(tools.calls("docker push")) == 2


class TestTheBuilder:
    def test_is_the_first_that_works(self, build: Build, tools: StandIns) -> None:
        """A docker client whose engine doesn't run is there, but builds nothing."""
        tools.says("docker version", stderr=NO_ENGINE, exit_code=1)
        assert "# builder: podman" in build("--image=app").output
        assert tools.calls("docker build") == []

    def test_that_was_asked_for_is_taken_or_none(self, build: Build, tools: StandIns) -> None:
        tools.says("docker version", stderr=NO_ENGINE, exit_code=1)
        done = build("--image=app", "--builder=docker")
        assert (done.exit_code, NO_ENGINE in done.output, tools.calls("build")) == (1, True, [])

    def test_is_missing_where_nothing_works(self, build: Build, tmp_path: Path) -> None:
        bare = StandIns.install(tmp_path / "bare", [])
        done = build("--image=app", "--push", PATH=bare.only)
        assert done.exit_code == 1
        for words in ("docker: not on PATH", "podman: not on PATH", "cloudbuild: no --project"):
            assert words in done.output

    def test_cloud_build_needs_somebody_who_asks_to_push(self, build: Build) -> None:
        done = build("--image=app", "--builder=cloudbuild", "--project=my-project")
        assert (done.exit_code, "nobody asked to --push" in done.output) == (1, True)


class TestTheChart:
    def test_lies_beside_the_archive_and_with_the_artifacts(self, build: Build, tmp_path: Path) -> None:
        chart = Path(handed_on(build("--image=app", "--chart=app/chart"))["chart"])
        assert chart == tmp_path / "run" / "charts" / "app-1.2.3.tgz"
        assert [entry.name for entry in chart.parent.iterdir()] == [chart.name]
        assert (tmp_path / "artifacts" / chart.name).read_bytes() == chart.read_bytes()
        with tarfile.open(chart) as tar:
            content = tar.extractfile("app/Chart.yaml")
            assert content
            packed = yaml.safe_load(content)
        assert (packed["name"], packed["version"], packed["appVersion"]) == ("app", "1.2.3", COMMIT)

    def test_is_packed_again_by_a_retry(self, build: Build) -> None:
        build("--image=app", "--chart=app/chart")
        assert handed_on(build("--image=app", "--chart=app/chart"))["chart"]


class TestWhatAStrangerPutIntoTheSource:
    @pytest.fixture
    def secret(self, tmp_path: Path) -> Path:
        secret = tmp_path / "key.json"
        secret.write_text("s3cret")
        return secret

    @pytest.mark.parametrize(
        "link",
        [
            pytest.param("app/chart/templates/key", id="a link in the chart"),
            pytest.param("Dockerfile", id="the Dockerfile"),
            pytest.param(".dockerignore", id="what the engine reads beside it"),
            pytest.param("Dockerfile.dockerignore", id="what it reads for that Dockerfile alone"),
            pytest.param("Dockerfile.containerignore", id="likewise, podman"),
        ],
    )
    def test_never_leads_out_of_it(
        self, build: Build, tools: StandIns, tree: Path, secret: Path, link: str
    ) -> None:
        (tree / link).unlink(missing_ok=True)
        (tree / link).symlink_to(secret)
        done = build("--image=app", "--chart=app/chart")
        assert (done.exit_code, f"{link} is a link that leads out" in done.output) == (1, True), done.output
        assert tools.calls("helm package") == []

    def test_never_leads_out_of_it_through_another_folder(
        self, build: Build, tree: Path, secret: Path
    ) -> None:
        (tree / "common").mkdir()
        (tree / "common" / "key").symlink_to(secret)
        (tree / "app" / "chart" / "common").symlink_to("../../common")
        done = build("--image=app", "--chart=app/chart")
        assert (done.exit_code, "common/key is a link that leads out" in done.output) == (1, True)

    def test_may_lead_around_in_it(self, build: Build, tree: Path) -> None:
        (tree / "values.yaml").write_text("a: 1\n")
        (tree / "app" / "chart" / "values.yaml").symlink_to("../../values.yaml")
        (tree / "app" / "chart" / "other").symlink_to("templates")
        handed_on(build("--image=app", "--chart=app/chart"))

    @pytest.mark.parametrize(
        ("links", "why"),
        [
            pytest.param({"up": ".."}, "chart/up is a link to a folder that holds it", id="up"),
            pytest.param({"self": "."}, "chart/self is a link to a folder that holds it", id="to itself"),
            pytest.param(
                {"templates/a": "../b", "b/c": "../templates"}, "to a folder that holds it", id="in a circle"
            ),
            pytest.param(
                {f"{n}/{way}": f"../{n + 1}" for n in range(20) for way in "ab"},
                "more than 20000 files",
                id="twice as many each time",
            ),
        ],
    )
    def test_may_not_lead_helm_around_and_around(
        self, build: Build, tools: StandIns, tree: Path, links: dict[str, str], why: str
    ) -> None:
        chart = tree / "app" / "chart"
        for link, target in links.items():
            (chart / link).parent.mkdir(exist_ok=True)
            (chart / link).symlink_to(target)
        if "0/a" in links:
            (chart / "20").mkdir()
        done = build("--image=app", "--chart=app/chart")
        assert (done.exit_code, why in done.output) == (1, True), done.output
        assert tools.calls("helm package") == []

    def test_may_not_lead_around_for_ever(self, build: Build, tree: Path) -> None:
        (tree / "app" / "chart" / "loop").symlink_to("loop")
        done = build("--image=app", "--chart=app/chart")
        assert (done.exit_code, "app/chart/loop can't be followed" in done.output) == (1, True), done.output


@pytest.mark.parametrize(
    ("option", "exit_code"),
    [
        ("--image=App", 2),
        ("--image=app:v1", 2),
        ("--image=-q", 2),
        ("--registry=https://r.example", 2),
        ("--registry=user:password@r.example", 2),
        ("--tag=-q", 2),
        ("--tag=a b", 2),
        ("--builder=make", 2),
        ("--project=../x", 2),
        ("--build-account=me", 2),
        ("--build-bucket=gs://x", 2),
        ("--context=/etc", 1),
        ("--context=../..", 1),
        ("--dockerfile=../Dockerfile", 1),
        ("--dockerfile=missing", 1),
        ("--chart=nowhere", 1),
    ],
)
def test_what_makes_no_sense_is_refused(build: Build, option: str, exit_code: int) -> None:
    done = build("--image=app", option)
    assert done.exit_code == exit_code, done.output
    assert json.loads(done.handed_on.read_text())["reason"]


def test_an_archive_that_is_not_of_clone_is_refused(step: Step, tree: Path, tmp_path: Path) -> None:
    archive.pack(tree, tmp_path / "a.tar.gz", {})
    for name, reason in (("a.tar.gz", "make it by `python -m steps.release clone`"), ("b.tar.gz", "is gone")):
        done = step("steps.release", "build", f"--archive={tmp_path / name}", "--image=app")
        assert (done.exit_code, reason in done.output) == (1, True), done.output


def test_a_dry_run_prints_what_would_run_and_runs_nothing(
    step: Step, tools: StandIns, tmp_path: Path
) -> None:
    where = ("--archive=source.tar.gz", "--registry=europe-docker.pkg.dev/p/r", f"--charts={tmp_path}/charts")
    done = step(
        "steps.release", "build", "--image=app", "--push", "--chart=c", *where, "--dryrun", PATH=tools.path
    )
    labels = "--label=org.opencontainers.image.revision=COMMIT --label=org.opencontainers.image.source=URL"
    assert done.output.replace(str(tmp_path), "RUN").replace(
        "europe-docker.pkg.dev", "HOST"
    ).splitlines() == [
        "# SOURCE is a fresh copy of source.tar.gz",
        "docker version '--format={{.Server.Version}}'",
        "# builder: docker",
        f"docker build --file=SOURCE/Dockerfile --tag=HOST/p/r/app:COMMIT {labels} SOURCE",
        "gcloud auth print-access-token",
        "docker login --username=oauth2accesstoken --password-stdin HOST",
        "docker push HOST/p/r/app:COMMIT",
        "docker image inspect '--format={{json .RepoDigests}}' HOST/p/r/app:COMMIT",
        "helm package SOURCE/c --app-version=COMMIT --destination=RUN/charts",
        "# then build_info.yaml says: image HOST/p/r/app:COMMIT, commit COMMIT, chart RUN/charts",
    ]
    assert tools.calls() == []
