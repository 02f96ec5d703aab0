"""A repository for the E2E pipeline. Its linter and tests do as they are told."""

from pathlib import Path

from tests.dags.conftest import Repository

_CHECK = """#!/bin/sh
# Stands in for {program}. JOB_NAME is one of the names that every step sees: here it says what becomes of it.
case "$JOB_NAME" in
  *"{step} fails"*) echo "app.py:1:1: E999 broken"; exit 1 ;;
  *"{step} hangs"*) sleep 600 ;;
esac
for option; do
  case "$option" in
    --junitxml=*) echo '<testsuite><testcase name="test_x"/></testsuite>' > "${{option#--junitxml=}}" ;;
  esac
done
"""
FILES = {
    "app.py": "print('hello')\n",
    "Dockerfile": "FROM scratch\n",
    "chart/Chart.yaml": "apiVersion: v2\nname: app\nversion: 0.1.0\n",
    "chart/values.yaml": "image: none\n",
    "e2e/gpu.yaml": "apiVersion: batch/v1\nkind: Job\nspec:\n  template: {}\n",
    "ruff.toml": "",
    ".venv/bin/ruff": _CHECK.format(program="ruff", step="pylint"),
    ".venv/bin/pytest": _CHECK.format(program="pytest", step="pytest"),
}


def push(repository: Repository) -> tuple[str, str]:
    """Push `main`, and pull request 7 on top of it; returns both commits."""
    for name, content in FILES.items():
        file = repository.tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        file.chmod(0o755 if Path(name).parts[0] == ".venv" else 0o644)
    base = repository.commit(ref="refs/heads/main", added="0\n")
    return base, repository.commit(onto=base, ref="refs/pull/7/head", added="1\n")
